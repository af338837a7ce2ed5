"""The one thread that talks to the ledger file, in small batches.

Whatever is asked while a batch is under way goes into the next: all reads as one select, all writes as one insert
and one commit. The event loop is woken once a batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from symposia.errors import StoreError
from symposia.llm.tables import insert_sql, open_to_write, select_sql, store_errors

__all__ = ["Row", "Writer"]

Row = tuple[Any, ...]
"""The values of a table's columns, in order; the first is the key."""

_LINGER_S = 0.001
"""How long a batch waits for company: nothing beside a model's answer, and most of the work saved under load."""

_Done = tuple[asyncio.Future[Any], Any, Exception | None]


@dataclass(slots=True)
class _Batch:
    """What is asked at once."""

    gets: dict[str, list[tuple[str, asyncio.Future[Row | None]]]] = field(default_factory=dict)
    puts: dict[str, list[tuple[Row, asyncio.Future[Row | None]]]] = field(default_factory=dict)
    calls: list[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = field(default_factory=list)

    def futures(self) -> list[asyncio.Future[Any]]:
        """Everybody who waits."""
        waiting: list[asyncio.Future[Any]] = [future for _, future in self.calls]
        waiting.extend(future for asked in self.gets.values() for _, future in asked)
        waiting.extend(future for given in self.puts.values() for _, future in given)
        return waiting


class Writer:
    """Reads and writes rows for the event loop in which it was opened.

    Args:
        path: The ledger file.
        tables: The tables that hold rows by key.
    """

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        self._path = path
        self._insert = {table.name: insert_sql(table) for table in tables}
        self._select = {table.name: select_sql(table) for table in tables}
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="symposia-ledger", daemon=True)
        self._next: _Batch | None = None
        self._busy = False
        self._closed = False
        self._opened: asyncio.Future[None] = self._loop.create_future()

    async def open(self) -> None:
        """Start the thread and open the file.

        Raises:
            StoreError: The file can't be used.
        """
        self._thread.start()
        await self._opened

    async def close(self) -> None:
        """Write what is waiting and end the thread; may be called twice."""
        if not self._closed:
            self._closed = True
            if self._next is not None:
                self._queue.put(self._next)
                self._next = None
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def get(self, table: str, key: str) -> asyncio.Future[Row | None]:
        """The row with this key, or None."""
        future: asyncio.Future[Row | None] = self._loop.create_future()
        self._batch().gets.setdefault(table, []).append((key, future))
        return future

    def put(self, table: str, row: Row) -> asyncio.Future[Row | None]:
        """Store a row; done when it is committed. Gives the row that was there before, if there was one."""
        future: asyncio.Future[Row | None] = self._loop.create_future()
        self._batch().puts.setdefault(table, []).append((row, future))
        return future

    def call(self, query: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        """Run a query in the thread."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._batch().calls.append((query, future))
        return future

    def _batch(self) -> _Batch:
        if self._next is None:
            if self._closed:
                raise StoreError(f"ledger {self._path} is closed", "open it again")
            self._next = _Batch()
            if not self._busy:
                self._loop.call_later(_LINGER_S, self._send)
        return self._next

    def _send(self) -> None:
        """Hand the next batch to the thread, unless it has one: then more come together meanwhile."""
        if self._next is not None and not self._busy:
            self._busy = True
            self._queue.put(self._next)
            self._next = None

    def _deliver(self, done: list[_Done]) -> None:
        self._busy = False
        for future, value, error in done:
            if future.done():
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        if self._next is not None:
            # Those who have just been answered ask again at once: let them into this batch.
            self._loop.call_later(_LINGER_S, self._send)

    # -- in the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            engine = open_to_write(self._path)
        except Exception as exc:
            self._report([(self._opened, None, exc)])
            return
        self._report([(self._opened, None, None)])
        with engine.connect() as connection:
            while (batch := self._queue.get()) is not None:
                try:
                    with store_errors(self._path):
                        done = self._work(connection, batch)
                except Exception as exc:
                    connection.rollback()
                    done = [(future, None, exc) for future in batch.futures()]
                self._report(done)
        engine.dispose()

    def _report(self, done: list[_Done]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, done)
        except RuntimeError:
            # The loop was closed before the ledger was; nobody waits any more.
            self._queue.put(None)

    def _work(self, connection: Connection, batch: _Batch) -> list[_Done]:
        done: list[_Done] = []
        for table, asked in batch.gets.items():
            rows = self._read(connection, table, [key for key, _ in asked])
            done.extend((future, rows.get(key), None) for key, future in asked)
        for query, future in batch.calls:
            done.append((future, query(connection), None))
        for table, given in batch.puts.items():
            before = self._write(connection, table, [row for row, _ in given])
            done.extend((future, before.get(row[0]), None) for row, future in given)
        connection.commit()
        return done

    def _read(self, connection: Connection, table: str, keys: list[str]) -> dict[str, Row]:
        found = connection.exec_driver_sql(self._select[table], (orjson.dumps(keys).decode(),))
        return {row[0]: tuple(row) for row in found}

    def _write(self, connection: Connection, table: str, rows: list[Row]) -> dict[str, Row]:
        """Insert rows; give those that were there already under the same key."""
        written = connection.exec_driver_sql(self._insert[table], [*rows])
        if written.rowcount == len(rows):
            return {}
        stored = self._read(connection, table, [row[0] for row in rows])
        return {row[0]: stored[row[0]] for row in rows if stored[row[0]] != row}
