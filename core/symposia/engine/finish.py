"""What happens when a run comes to rest: exports, the state on file, the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from symposia.contracts import Exporter
from symposia.engine.result import EXIT_CODES, Rest, RunResult
from symposia.engine.settling import Settler
from symposia.host import Workbench
from symposia.records import Event, Recipe, RunFinished
from symposia.store import RunStore

__all__ = ["finish"]


def finish(
    recipe: Recipe,
    store: RunStore,
    settler: Settler,
    rest: Rest,
    bench: Workbench,
    emit: Callable[[Event], None],
    seconds: float,
) -> RunResult:
    """Write the exports, note the state, and tell how the run rests."""
    folder, counts, usage = store.folder, settler.counts, settler.usage
    store.set_meta("state", rest.state)
    exports = tuple(_export(recipe, store, bench))
    share = counts.failed / counts.settled if counts.settled else 0.0
    code = EXIT_CODES[rest.state]
    if code == 0 and share > recipe.limits.max_failed_share:
        code = 6
    emit(
        RunFinished(
            run=folder.name,
            folder=str(folder),
            state=rest.state,
            reason=rest.reason,
            accepted=counts.accepted,
            rejected=counts.rejected,
            parked=counts.parked,
            failed=counts.failed,
            usage=usage,
            seconds=seconds,
        )
    )
    return RunResult(
        run=folder.name,
        folder=folder,
        state=rest.state,
        reason=rest.reason,
        accepted=counts.accepted,
        rejected=counts.rejected,
        parked=counts.parked,
        failed=counts.failed,
        usage=usage,
        seconds=seconds,
        exports=exports,
        exit_code=code,
    )


def _export(recipe: Recipe, store: RunStore, bench: Workbench) -> list[Path]:
    """Write the accepted samples in every format the recipe names; several of one format get a number."""
    written: list[Path] = []
    for place, spec in enumerate(recipe.exports):
        exporter = cast(Exporter, bench.build("exporter", spec.use, spec.params))
        name = "dataset" if place == 0 else f"dataset-{place + 1}"
        path = store.folder / f"{name}{exporter.suffix}"
        exporter.write(store.samples(), path)
        written.append(path)
    return written
