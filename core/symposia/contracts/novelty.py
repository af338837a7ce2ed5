"""Says whether a draft is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from symposia.records import Draft, NoveltyVerdict

__all__ = ["GateEntry", "NoveltyCheck", "NoveltyGate", "NoveltyProbe"]


class GateEntry(NamedTuple):
    """What the store keeps of an admitted draft so that a check can be restored without asking a model.

    Attributes:
        check: Name of the check.
        task: Number of the task.
        log: Settle-log number at which the entry was made; 0 until it is settled.
        text: The compared text.
        data: The check's own form of it, for example a vector as float32 bytes.
    """

    check: str
    task: int
    log: int
    text: str
    data: bytes


class NoveltyCheck(Protocol):
    """One level of the gate. It is driven by one owner, in task order."""

    @property
    def name(self) -> str:
        """Name of the check."""

    async def open(self, entries: Sequence[GateEntry]) -> None:
        """Be ready; ``entries`` is what the store holds and the last word on what was admitted."""

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict:
        """Compare with what was admitted up to settle-log number ``as_of``; changes nothing."""

    async def compare(self, draft: Draft, task: int) -> tuple[NoveltyVerdict, GateEntry]:
        """Compare with everything that is held now, and give the entry that would hold the draft."""

    async def hold(self, entry: GateEntry) -> None:
        """Hold an entry from now on."""

    async def release(self, task: int) -> None:
        """Hold the entry of a task no longer."""

    async def close(self) -> None:
        """Free what was opened; may be called twice."""


class NoveltyProbe(Protocol):
    """The read-only side of the gate, for workers."""

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict | None:
        """The verdict of the first check that finds the draft too near, else of the last; None without checks."""


class NoveltyGate(NoveltyProbe, Protocol):
    """The gate of a run: one owner, admission in task order."""

    async def reserve(self, task: int, draft: Draft) -> NoveltyVerdict | None:
        """Final verdict on a draft; a novel one is held for the task from now on."""

    async def release(self, task: int) -> None:
        """Give up what is held for a task."""
