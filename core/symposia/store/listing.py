"""Runs in a folder: their list, and finding one by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from symposia.errors import StoreError, UsageError, did_you_mean
from symposia.store.reader import STORE_FILE
from symposia.store.run_store import RunStore

__all__ = ["LEDGER_FILE", "RunSummary", "find_run", "list_runs"]

LEDGER_FILE = "ledger.sqlite"
"""The request ledger that all runs of a folder share."""


class RunSummary(NamedTuple):
    """One line of `symposia ls`. A run whose store can't be read has the state ``unreadable``."""

    run: str
    folder: Path
    state: str
    accepted: int
    rejected: int
    parked: int
    failed: int


def list_runs(runs: Path) -> list[RunSummary]:
    """All runs of a folder, by name."""
    if not runs.is_dir():
        return []
    return [_summary(folder) for folder in sorted(runs.iterdir()) if (folder / STORE_FILE).is_file()]


def _summary(folder: Path) -> RunSummary:
    try:
        with RunStore.open(folder) as store:
            counts = store.counts()
            state = store.state()
    except StoreError:
        return RunSummary(folder.name, folder, "unreadable", 0, 0, 0, 0)
    return RunSummary(folder.name, folder, state, counts.accepted, counts.rejected, counts.parked, counts.failed)


def find_run(runs: Path, ref: str) -> Path:
    """The folder of a run, by path, name, or the beginning of a name that only one run has.

    Raises:
        UsageError: There is none, or several begin so.
    """
    direct = Path(ref)
    if (direct / STORE_FILE).is_file():
        return direct
    names = [summary.run for summary in list_runs(runs)]
    if ref in names:
        return runs / ref
    near = [name for name in names if name.startswith(ref)]
    if len(near) == 1:
        return runs / near[0]
    if near:
        raise UsageError(f"'{ref}' is the beginning of several runs", "choose: " + ", ".join(near))
    raise UsageError(f"no run '{ref}' in {runs}", did_you_mean(ref, names) if names else "there are no runs yet")
