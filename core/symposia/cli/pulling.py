"""Fetching weights, with progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.cli.console import is_terminal, make_console, say

if TYPE_CHECKING:
    from symposia.models import Progress

__all__ = ["pull_with_progress"]

_LINE_EVERY_S = 5.0


def pull_with_progress(name: str, *, force: bool = False) -> Path:
    """Fetch the weights of a known model, showing how far it is; all progress goes to the error stream.

    Raises:
        WeightsError: They can't be fetched.
    """
    from symposia.models import pull

    with _bar() if is_terminal() else _lines() as tell:
        return pull(name, tell, force)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, console=make_console(stderr=True), transient=True) as bar:
        shown: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                shown[what] = bar.add_task(what, total=total or None)
            bar.update(shown[what], completed=done, total=total or None)

        yield tell


@contextmanager
def _lines() -> Iterator[Progress]:
    last = 0.0
    seen: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if what in seen and now - last < _LINE_EVERY_S:
            return
        seen.add(what)
        last = now
        say(f"{what}: {done >> 20} of {total >> 20} MB" if total else what, stderr=True)

    yield tell
