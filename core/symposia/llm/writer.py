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
from time import sleep
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Table

from symposia.errors import StoreError
from symposia.llm.tables import insert_sql, open_to_write, select_sql, store_errors

__all__ = ["Row", "Writer"]

Row = Sequence[Any]
"""The values of a table's columns, in order; the first is the key."""

_BATCH = 512
_LINGER_S = 0.001
"""How long a batch waits for company: nothing beside a model's answer, and a third of the work under load."""


@dataclass(slots=True)
class _Jobs:
    """What one batch holds."""

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
        self._queue: SimpleQueue[tuple[str, str, Any, asyncio.Future[Any]] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="symposia-ledger", daemon=True)
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
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def get(self, table: str, key: str) -> asyncio.Future[Row | None]:
        """The row with this key, or None."""
        return self._ask("get", table, key)

    def put(self, table: str, row: Row) -> asyncio.Future[Row | None]:
        """Store a row; done when it is committed. Gives the row that was there before, if there was one."""
        return self._ask("put", table, row)

    def call(self, query: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        """Run a query in the thread."""
        return self._ask("call", "", query)

    def _ask(self, verb: str, table: str, what: Any) -> asyncio.Future[Any]:
        if self._closed:
            raise StoreError(f"ledger {self._path} is closed", "open it again")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((verb, table, what, future))
        return future

    # -- in the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            engine = open_to_write(self._path)
        except Exception as exc:
            self._deliver([(self._opened, None, exc)])
            return
        self._deliver([(self._opened, None, None)])
        self._serve(engine)

    def _serve(self, engine: Engine) -> None:
        with engine.connect() as connection:
            open_ = True
            while open_:
                jobs, open_ = self._collect()
                try:
                    with store_errors(self._path):
                        done = self._work(connection, jobs)
                except Exception as exc:
                    connection.rollback()
                    done = [(future, None, exc) for future in jobs.futures()]
                self._deliver(done)
        engine.dispose()

    def _collect(self) -> tuple[_Jobs, bool]:
        queue, jobs = self._queue, _Jobs()
        batch = [queue.get()]
        if batch[0] is not None:
            sleep(_LINGER_S)
        while len(batch) < _BATCH and not queue.empty():
            batch.append(queue.get())
        for item in batch:
            if item is None:
                return jobs, False
            verb, table, what, future = item
            if verb == "get":
                jobs.gets.setdefault(table, []).append((what, future))
            elif verb == "put":
                jobs.puts.setdefault(table, []).append((what, future))
            else:
                jobs.calls.append((what, future))
        return jobs, True

    def _work(self, connection: Connection, jobs: _Jobs) -> list[_Done]:
        done: list[_Done] = []
        for table, asked in jobs.gets.items():
            rows = self._read(connection, table, [key for key, _ in asked])
            done.extend((future, rows.get(key), None) for key, future in asked)
        for query, future in jobs.calls:
            done.append((future, query(connection), None))
        for table, given in jobs.puts.items():
            before = self._write(connection, table, [row for row, _ in given])
            done.extend((future, before.get(row[0]), None) for row, future in given)
        connection.commit()
        return done

    def _read(self, connection: Connection, table: str, keys: list[str]) -> dict[str, Row]:
        found = connection.exec_driver_sql(self._select[table], (orjson.dumps(keys).decode(),))
        return {row[0]: row for row in found}

    def _write(self, connection: Connection, table: str, rows: list[Row]) -> dict[str, Row]:
        """Insert rows; give those that were there already under the same key."""
        written = connection.exec_driver_sql(self._insert[table], [tuple(row) for row in rows])
        if written.rowcount == len(rows):
            return {}
        stored = self._read(connection, table, [row[0] for row in rows])
        return {row[0]: stored[row[0]] for row in rows if tuple(stored[row[0]]) != tuple(row)}

    def _deliver(self, done: list[_Done]) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, done)
        except RuntimeError:
            # The loop was closed before the ledger was; nobody waits any more.
            self._queue.put(None)


_Done = tuple[asyncio.Future[Any], Any, Exception | None]


def _resolve(done: list[_Done]) -> None:
    for future, value, error in done:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
