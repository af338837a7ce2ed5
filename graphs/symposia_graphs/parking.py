"""Where parked threads wait for a person: a checkpoint file in the run's folder, or memory without one.

A checkpoint is never the only copy of anything. What can't be read is put aside, and its threads are rebuilt from
the store; so a file that somebody deleted, damaged or wrote with another release costs nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.errors import StoreError

if TYPE_CHECKING:
    import aiosqlite
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.serde.base import SerializerProtocol

__all__ = ["FILE", "Parking"]

FILE = "checkpoints.sqlite"
"""Name of the checkpoint file in a run's folder."""

ASIDE = ".damaged"
_COMPANIONS = ("", "-wal", "-shm")


class Parking:
    """The checkpointer of a run, opened when it is first needed.

    Args:
        folder: The run's folder; None keeps threads in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / FILE if folder is not None else None
        self._connection: aiosqlite.Connection | None = None
        self._saver: BaseCheckpointSaver[str] | None = None

    async def saver(self) -> BaseCheckpointSaver[str]:
        """The checkpointer; a file that is no database is put aside for a new one.

        Raises:
            StoreError: The file can't be written.
        """
        if self._saver is None:
            self._saver = await self._open()
        return self._saver

    async def _open(self) -> BaseCheckpointSaver[str]:
        from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

        # Nothing but plain JSON is ever stored, so nothing else is revived, whatever the environment says.
        serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        if self._path is None:
            from langgraph.checkpoint.memory import InMemorySaver

            return InMemorySaver(serde=serde)
        try:
            return await self._connect(self._path, serde)
        except sqlite3.OperationalError as exc:
            await self.close()
            raise _unusable(self._path, exc) from exc
        except sqlite3.DatabaseError:
            await self.set_aside()
        with self.writing():
            return await self._connect(self._path, serde)

    async def _connect(self, path: Path, serde: SerializerProtocol) -> BaseCheckpointSaver[str]:
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        # A failed start would leave aiosqlite's thread behind, so what can't be opened is found out without it.
        sqlite3.connect(path).close()
        self._connection = await aiosqlite.connect(path)
        saver = AsyncSqliteSaver(self._connection, serde=serde)
        await saver.setup()
        return saver

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Say which file it is when a checkpoint can't be written (`StoreError`)."""
        try:
            yield
        except sqlite3.Error as exc:
            raise _unusable(self._path, exc) from exc

    async def set_aside(self) -> None:
        """Close a file that can't be read and rename it, so that a new one takes its place."""
        await self.close()
        if self._path is None:
            return
        for companion in _COMPANIONS:
            file = self._path.with_name(self._path.name + companion)
            if file.exists():
                file.replace(file.with_name(file.name + ASIDE))

    async def close(self) -> None:
        """Close the file; may be called twice."""
        connection, self._connection, self._saver = self._connection, None, None
        if connection is not None:
            await connection.close()


def _unusable(path: Path | None, exc: Exception) -> StoreError:
    return StoreError(
        f"{path}: {exc}",
        "free disk space or mend the rights of the run's folder; the file itself may be deleted, it is rebuilt",
    )
