"""How a run is asked to stop, and what it gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from symposia.records import Sample, Usage
from symposia.store import RunStore

__all__ = ["EXIT_CODES", "Rest", "RunResult", "RunState", "StopSignal"]

RunState = Literal["complete", "waiting", "capped", "interrupted", "stopped"]

EXIT_CODES: dict[RunState, int] = {"complete": 0, "waiting": 7, "capped": 3, "interrupted": 130, "stopped": 4}
"""Exit code by state; 6 instead of 0 when too many tasks failed."""


@dataclass(frozen=True)
class Rest:
    """How a run came to rest, and why."""

    state: RunState
    reason: str = ""


class StopSignal:
    """Asks a run to stop: first kindly, then at once. Safe to call from a signal handler of the same loop."""

    def __init__(self) -> None:
        self.asked = False
        self.forced = False
        self._event: asyncio.Event | None = None

    def ask(self) -> None:
        """Start nothing new and finish what is in flight."""
        self.asked = True
        self._wake()

    def force(self) -> None:
        """Stop now; answers that are stored are kept, open tasks stay open."""
        self.asked = self.forced = True
        self._wake()

    def watch(self, event: asyncio.Event) -> None:
        """Set ``event`` whenever a stop is asked for."""
        self._event = event
        if self.asked:
            event.set()

    def _wake(self) -> None:
        if self._event is not None:
            self._event.set()


@dataclass(frozen=True)
class RunResult:
    """A run that came to rest.

    Attributes:
        run: Name of the run: its folder's name.
        folder: The run folder.
        state: ``complete`` (as many accepted as asked for), ``waiting`` (for people), ``capped``, ``interrupted``,
            or ``stopped`` (an endpoint can't serve it).
        reason: Why, where that is a question.
        accepted: Number of accepted samples.
        rejected: Number of rejected tasks.
        parked: Number of samples that wait for a person.
        failed: Number of tasks whose requests could not be answered.
        usage: Tokens and money of all settled negotiations.
        seconds: Wall time of this command.
        exports: Files that were written.
        exit_code: What the command exits with.
    """

    run: str
    folder: Path
    state: RunState
    reason: str
    accepted: int
    rejected: int
    parked: int
    failed: int
    usage: Usage
    seconds: float
    exports: tuple[Path, ...]
    exit_code: int

    def samples(self) -> Iterator[Sample]:
        """The accepted samples, in task order."""
        with RunStore.open(self.folder) as store:
            yield from store.samples()
