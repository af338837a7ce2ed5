"""Reading one run's store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from sqlalchemy import Connection, func, select

from symposia.contracts.novelty import GateEntry
from symposia.errors import StoreError
from symposia.records import Decision, HumanDecision, JsonObject, Negotiation, Recipe, Sample, SourceRow, Usage
from symposia.store import schema as t
from symposia.store.values import Assigned, CauseCount, Counts, QueuedReview

__all__ = ["STORE_FILE", "RunReader"]

STORE_FILE = "run.sqlite"
_SUMMED = ("calls", "prompt_tokens", "completion_tokens", "cost_usd")


class RunReader:
    """What is known of one run.

    Args:
        folder: The run folder.
        write: Whether tables may be made and rows written.
    """

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        self.folder = folder
        self.path = folder / STORE_FILE
        self._engine = t.open_engine(self.path, write=write)
        t.create_schema(self._engine, self.path)

    @classmethod
    def open(cls, folder: Path, *, write: bool = False) -> Self:
        """Open a run's store.

        Raises:
            StoreError: There is none, it is damaged, or it was written by a newer version.
        """
        return cls(folder, write=write)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with t.store_errors(self.path), self._engine.connect() as connection:
            yield connection

    def meta(self, key: str) -> str | None:
        """A value that was set once, or None."""
        with self._read() as connection:
            value: str | None = connection.execute(select(t.meta.c.value).where(t.meta.c.key == key)).scalar()
            return value

    def recipe(self) -> Recipe:
        """The frozen recipe."""
        text = self.meta("recipe")
        if text is None:
            raise StoreError(f"{self.path} holds no recipe: the run never started", "run the recipe again")
        return Recipe.model_validate_json(text)

    def identity(self) -> str:
        """Hash of all that decides the content of the run."""
        return self.meta("identity") or ""

    def state(self) -> str:
        """How the run came to rest last: complete, waiting, capped, interrupted, stopped; ``open`` before that."""
        return self.meta("state") or "open"

    def row(self, place: int) -> SourceRow:
        """One row of the source."""
        with self._read() as connection:
            found = connection.execute(select(t.rows.c.id, t.rows.c.fields).where(t.rows.c.place == place)).one()
        return SourceRow.model_validate({"id": found.id, **_json(found.fields)})

    def next_task(self) -> int:
        """The first number that has no decision yet."""
        with self._read() as connection:
            highest = connection.execute(
                select(func.max(t.tasks.c.task)).where(t.tasks.c.log.is_not(None))
            ).scalar()
        return 0 if highest is None else int(highest) + 1

    def last_log(self) -> int:
        """Number of the last settle-log entry; 0 when nothing is settled."""
        with self._read() as connection:
            return connection.execute(select(func.max(t.settle_log.c.log))).scalar() or 0

    def logs_from(self, task: int) -> dict[int, int]:
        """Settle-log number by task, for this task and later ones."""
        with self._read() as connection:
            found = connection.execute(
                select(t.tasks.c.task, t.tasks.c.log).where(t.tasks.c.task >= task, t.tasks.c.log.is_not(None))
            )
            return {row.task: row.log for row in found}

    def gate_entries(self, check: str) -> list[GateEntry]:
        """Everything the novelty gate holds for one check, by task."""
        with self._read() as connection:
            found = connection.execute(select(t.gate).where(t.gate.c.check == check).order_by(t.gate.c.task))
            return [GateEntry(row.check, row.task, row.log, row.text, row.data) for row in found]

    def assigned(self) -> dict[int, Assigned]:
        """Task numbers that were given, by number."""
        with self._read() as connection:
            found = connection.execute(select(t.assigned).order_by(t.assigned.c.task))
            return {row.task: Assigned(row.task, row.like, _json(row.parameters)) for row in found}

    def queued_reviews(self) -> list[QueuedReview]:
        """Decisions that have no place yet, in the order they came."""
        with self._read() as connection:
            found = connection.execute(
                select(t.reviews.c.id, t.reviews.c.decision)
                .where(t.reviews.c.log.is_(None), t.reviews.c.problem.is_(None))
                .order_by(t.reviews.c.id)
            )
            return [QueuedReview(row.id, HumanDecision.model_validate_json(row.decision)) for row in found]

    def counts(self) -> Counts:
        """How many tasks ended how."""
        with self._read() as connection:
            found = connection.execute(select(t.tasks.c.outcome, func.count()).group_by(t.tasks.c.outcome))
            return Counts(**{row[0]: row[1] for row in found})

    def causes(self) -> list[CauseCount]:
        """Decisions by outcome, stage and cause, the most frequent first."""
        columns = (t.tasks.c.outcome, t.tasks.c.stage, t.tasks.c.cause)
        with self._read() as connection:
            found = connection.execute(select(*columns, func.count().label("n")).group_by(*columns))
            counts = [CauseCount(row.outcome, row.stage, row.cause, row.n) for row in found]
        return sorted(counts, key=lambda c: (-c.count, c.outcome, c.stage, c.cause))

    def usage(self) -> Usage:
        """What the settled negotiations consumed, answers from the ledger included."""
        with self._read() as connection:
            sums = [func.coalesce(func.sum(t.tasks.c[name]), 0) for name in _SUMMED]
            unknown = func.sum(t.tasks.c.cost_usd.is_(None) & t.tasks.c.log.is_not(None))
            found = dict(zip((*_SUMMED, "without"), connection.execute(select(*sums, unknown)).one(), strict=True))
        cost = None if found.pop("without") else float(found["cost_usd"])
        return Usage(**{**found, "cost_usd": cost})

    def decision(self, task: int) -> Decision | None:
        """A task's decision, or None when it has none."""
        with self._read() as connection:
            text = connection.execute(select(t.tasks.c.decision).where(t.tasks.c.task == task)).scalar()
        return Decision.model_validate_json(text) if text else None

    def negotiation(self, task: int) -> Negotiation | None:
        """A task's negotiation, or None when it has none."""
        with self._read() as connection:
            text = connection.execute(select(t.tasks.c.negotiation).where(t.tasks.c.task == task)).scalar()
        return Negotiation.model_validate_json(text) if text else None

    def decisions(self, outcome: str | None = None) -> Iterator[tuple[int, Decision]]:
        """Task numbers with decisions, in task order."""
        for task, text in self._stream("decision", outcome):
            yield task, Decision.model_validate_json(text)

    def negotiations(self, outcome: str | None = None) -> Iterator[Negotiation]:
        """Negotiations in task order."""
        for _, text in self._stream("negotiation", outcome):
            yield Negotiation.model_validate_json(text)

    def samples(self) -> Iterator[Sample]:
        """The dataset: accepted samples in task order."""
        for _, text in self._stream("sample", "accepted"):
            yield Sample.model_validate_json(text)

    def _stream(self, column: str, outcome: str | None) -> Iterator[tuple[int, str]]:
        """Pages by task number, so that no cursor stays open while the caller works."""
        after = -1
        while True:
            query = select(t.tasks.c.task, t.tasks.c[column]).where(
                t.tasks.c.task > after, t.tasks.c[column].is_not(None)
            )
            if outcome is not None:
                query = query.where(t.tasks.c.outcome == outcome)
            with self._read() as connection:
                page = connection.execute(query.order_by(t.tasks.c.task).limit(200)).all()
            for task, text in page:  # noqa: UP028 - rows are not plain tuples
                yield task, text
            if len(page) < 200:
                return
            after = page[-1][0]


def _json(text: str) -> JsonObject:
    value: JsonObject = orjson.loads(text)
    return value
