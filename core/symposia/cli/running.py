"""Running a recipe from the command line: interrupts, what is shown, and the summary."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.cli.console import is_terminal, make_console, make_table, say, say_json, show_path
from symposia.cli.progress import Screen, Standing, duration, show_live, show_plain
from symposia.records import Event

if TYPE_CHECKING:
    from symposia.engine import RunResult, StopSignal
    from symposia.host import Host
    from symposia.recipes import LoadedRecipe

__all__ = ["Show", "display", "execute", "say_next", "say_summary", "shown", "sugar"]


def sugar(
    values: Mapping[str, int | None], *, model: str | None = None, overrides: Sequence[str] | None = None
) -> list[str]:
    """Short options as overrides of the recipe; what is said with ``--set`` comes last and wins.

    Args:
        values: Value by key of the recipe; None where an option was not given.
        model: The model of every role.
        overrides: What was said with ``--set``.
    """
    found: list[str] = []
    if model is not None:
        found += [f"roles.teacher.model={model}", f"roles.*.model={model}", f"roles.judges.*.model={model}"]
    found += [f"{key}={value}" for key, value in values.items() if value is not None]
    return [*found, *(overrides or ())]


@contextmanager
def display(standing: Standing, *, quiet: bool) -> Iterator[Screen]:
    """Show how a run stands, as the place where it is shown allows."""
    if quiet:
        yield Screen(standing.hear, make_console())
        return
    with show_live(standing) if is_terminal() else show_plain(standing) as screen:
        yield screen


@dataclass
class Show:
    """How one run is shown; `result` is set when it rests."""

    standing: Standing
    listeners: list[Callable[[Event], None]]
    result: RunResult | None = None


@contextmanager
def shown(wanted: int, *, as_json: bool, quiet: bool) -> Iterator[Show]:
    """Show a run while it goes on, and say how it ended: as lines of JSON, as one line, or in full."""
    standing = Standing()
    with display(standing, quiet=quiet or as_json) as screen:
        listeners = [screen.hear]
        if as_json:
            listeners.append(lambda event: say_json(event.model_dump(mode="json"), line=True))
        show = Show(standing, listeners)
        yield show
    if as_json:
        return
    assert show.result is not None  # otherwise an error was raised
    if quiet:
        say(f"{show.result.run} {show.result.state}: {standing.counts()}")
    else:
        say_summary(show.result, wanted)


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
