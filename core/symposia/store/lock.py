"""One engine a run folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from symposia.errors import LockedError, StoreError

__all__ = ["RunLock"]


class RunLock:
    """An exclusive lock on a run folder; it ends with the process, however that ends.

    Args:
        folder: The run folder; made if it is not there.

    Raises:
        LockedError: Another process holds it; the message says which.
        StoreError: The folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "run.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+", encoding="utf-8")
        except OSError as exc:
            raise StoreError(f"{folder} can't be written: {exc.strerror}", "choose another --runs folder") from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = _holder(self._file.read())
            self._file.close()
            raise LockedError(
                f"{folder} is in use by {holder}",
                "wait for it or end it; reviewing with `symposia review` works meanwhile",
            ) from None
        self._file.seek(0)
        self._file.truncate()
        json.dump(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            self._file,
        )
        self._file.flush()

    def release(self) -> None:
        """Give the folder free; may be called twice."""
        if not self._file.closed:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(text: str) -> str:
    try:
        found = json.loads(text)
        return f"process {found['pid']} on {found['host']} since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
