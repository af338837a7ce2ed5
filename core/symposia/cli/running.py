"""Running a recipe from the command line: interrupts, what is shown, and the summary."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.cli.console import is_terminal, make_console, make_table, say, show_path
from symposia.cli.progress import Screen, Standing, duration, show_live, show_plain
from symposia.records import Event

if TYPE_CHECKING:
    from symposia.engine import RunResult, StopSignal
    from symposia.host import Host
    from symposia.recipes import LoadedRecipe

__all__ = ["display", "execute", "say_summary", "sugar"]


def sugar(
    *,
    samples: int | None = None,
    seed: int | None = None,
    model: str | None = None,
    max_candidates: int | None = None,
    in_flight: int | None = None,
    overrides: Sequence[str] | None = None,
) -> list[str]:
    """Short options as overrides of the recipe; what is said with ``--set`` comes last and wins."""
    found: list[str] = []
    if model is not None:
        found += [f"roles.teacher.model={model}", f"roles.*.model={model}", f"roles.judges.*.model={model}"]
    for key, value in (
        ("samples", samples),
        ("seed", seed),
        ("limits.max_candidates", max_candidates),
        ("limits.in_flight", in_flight),
    ):
        if value is not None:
            found.append(f"{key}={value}")
    return [*found, *(overrides or ())]


@contextmanager
def display(standing: Standing, *, quiet: bool) -> Iterator[Screen]:
    """Show how a run stands, as the place where it is shown allows."""
    if quiet:
        yield Screen(standing.hear, make_console())
        return
    with show_live(standing) if is_terminal() else show_plain(standing) as screen:
        yield screen


def execute(
    loaded: LoadedRecipe,
    *,
    runs: Path,
    host: Host,
    listeners: Sequence[Callable[[Event], None]],
    new: bool = False,
    retry_failed: bool = False,
    standing: Standing | None = None,
) -> RunResult:
    """Run a recipe; the first Ctrl-C finishes what is in flight, the second stops, a third kills.

    Args:
        loaded: The recipe.
        runs: Folder of all runs.
        host: The plugins.
        listeners: Called with every event.
        new: Start a new run even if one of the same content is there.
        retry_failed: Ask failed tasks again.
        standing: Told at the first Ctrl-C, where a live display shows it.
    """
    from symposia.engine import StopSignal, run_recipe

    async def work() -> RunResult:
        stop = StopSignal()
        with _interruptible(stop, standing):
            return await run_recipe(
                loaded.recipe,
                base=loaded.base,
                runs=runs,
                host=host,
                listeners=listeners,
                new=new,
                retry_failed=retry_failed,
                stop=stop,
            )

    return asyncio.run(work())


@contextmanager
def _interruptible(stop: StopSignal, standing: Standing | None) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt() -> None:
        if not stop.asked:
            stop.ask()
            if standing is not None:
                standing.stopping = True
            if standing is None or not is_terminal():
                say("finishing what is in flight; press Ctrl-C again to stop at once", stderr=True)
        else:
            stop.force()
            for each in signals:
                loop.remove_signal_handler(each)

    for each in signals:
        loop.add_signal_handler(each, interrupt)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


def say_summary(result: RunResult, wanted: int) -> None:
    """Say how a run ended: counts by cause, cost, files."""
    from symposia.report.transcript import usage_text
    from symposia.store import RunStore

    reason = f": {result.reason}" if result.reason else ""
    say(f"{result.run} is {result.state}{reason}")
    say(
        f"{result.accepted} of {wanted} accepted, {result.rejected} rejected, {result.parked} parked, "
        f"{result.failed} failed in {duration(result.seconds)}"
    )
    with RunStore.open(result.folder) as store:
        causes = [found for found in store.causes() if found.outcome not in {"accepted", "surplus"}]
    if causes:
        table = make_table("outcome", "stage", "cause", "tasks", right=("tasks",))
        for found in causes:
            table.add_row(found.outcome, found.stage, found.cause or "–", str(found.count))
        make_console().print(table)
    say(usage_text(result.usage))
    for path in result.exports:
        say(f"  {show_path(path)}")
    say(f"  {show_path(result.folder)}  (every conversation: symposia show {result.run})")
    say_next(result)


def say_next(result: RunResult) -> None:
    """Say what to do next, where something is left to do."""
    if result.state == "waiting":
        say(f"{result.parked} wait for a person: symposia review {result.run}")
    elif result.state == "capped":
        say("a cap was reached: run the same recipe with a higher one to go on")
    elif result.state in {"interrupted", "stopped"}:
        say("run the same command again to go on; no answer that was stored is asked for again")
    elif result.exit_code == 6:
        say("more tasks failed than limits.max_failed_share allows; `symposia show RUN --failed` tells why")
