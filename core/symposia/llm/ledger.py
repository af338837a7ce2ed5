"""The request ledger: cache, resume log, bill and cassette in one SQLite file.

Every answer is stored under the key of its request before it is used, so whoever asks the same again, in this run,
after a crash or in another process, gets the same answer and pays nothing. The first complete answer stored wins.
"""

from __future__ import annotations

from pathlib import Path
from time import time
from typing import cast

from sqlalchemy import Connection, func, select

from symposia.llm import tables
from symposia.llm.entry import Entry
from symposia.llm.writer import Writer
from symposia.records import Usage, Verdict
from symposia.secrets import redact

__all__ = ["Ledger", "LedgerVerdicts"]


class LedgerVerdicts:
    """Verdicts kept beside the answers; implements `symposia.contracts.VerdictStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def get(self, key: str) -> Verdict | None:
        """The stored verdict, or None."""
        row = await self._writer.get("verdicts", key)
        return Verdict.model_validate_json(row[1]) if row is not None else None

    async def put(self, key: str, verdict: Verdict) -> None:
        """Store a verdict; the first one wins, and errors are not stored."""
        if verdict.status != "error":
            await self._writer.put("verdicts", (key, redact(verdict.model_dump_json()), time()))


class Ledger:
    """The open ledger. Made by `Ledger.open`; belongs to the event loop in which it was opened.

    Several processes may have the same file open. A process may be killed at any moment: the file opens again, and
    holds every answer that was given out.
    """

    def __init__(self, path: Path, writer: Writer) -> None:
        self.path = path
        self._writer = writer
        self.verdicts = LedgerVerdicts(writer)

    @classmethod
    async def open(cls, path: Path) -> Ledger:
        """Open the ledger at ``path``; make it where there is none.

        Raises:
            StoreError: The file can't be used, is something else, or comes from a newer Symposia.
        """
        writer = Writer(path, (tables.entries, tables.failures, tables.verdicts))
        await writer.open()
        return cls(path, writer)

    async def close(self) -> None:
        """Store what is waiting and close the file; may be called twice."""
        await self._writer.close()

    async def get(self, key: str) -> Entry | None:
        """The answer to a request, or None.

        Raises:
            StoreError: The ledger can't be read.
        """
        row = await self._writer.get("entries", key)
        return Entry._make(row) if row is not None else None

    async def put(self, entry: Entry) -> Entry:
        """Store an answer and give the one that counts: this one, or an earlier one under the same key.

        Raises:
            StoreError: The ledger can't be written, for example because the disk is full.
        """
        earlier = await self._writer.put("entries", entry)
        return Entry._make(earlier) if earlier is not None else entry

    async def fail(self, key: str, *, run: str, cause: str, message: str) -> None:
        """Note that a request could not be answered, so that a replay can fail in the same way."""
        await self._writer.put("failures", (key, run, cause, redact(message), time()))

    async def paid(self, run: str) -> Usage:
        """Tokens and money that a run paid for so far."""
        return cast(Usage, await self._writer.call(lambda connection: total_paid(connection, run)))


def total_paid(connection: Connection, run: str) -> Usage:
    """Sum of the answers that a run paid for; the cost is None when the price of any is unknown."""
    table = tables.entries.c
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(table.prompt_tokens), 0),
            func.coalesce(func.sum(table.completion_tokens), 0),
            func.coalesce(func.sum(table.cost_usd), 0.0),
            func.count(table.cost_usd),
        ).where(table.run == run)
    ).one()
    known = row[4] == row[0]
    return Usage(calls=row[0], prompt_tokens=row[1], completion_tokens=row[2], cost_usd=row[3] if known else None)
