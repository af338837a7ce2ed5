"""Writing one run's store: every candidate's fate, in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from symposia.records import Decision, HumanDecision, SourceRow
from symposia.store import schema as t
from symposia.store.reader import RunReader
from symposia.store.values import Assigned, Settlement

__all__ = ["RunStore"]


class RunStore(RunReader):
    """Reads and writes one run's store. Only the engine that holds the run's lock settles."""

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with t.store_errors(self.path), self._engine.begin() as connection:
            yield connection

    # -- the plan -------------------------------------------------------------------------------------------

    def set_meta(self, key: str, value: str) -> None:
        """Set or replace a value."""
        with self._write() as connection:
            statement = upsert(t.meta).values(key=key, value=value)
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))

    def put_rows(self, found: Iterator[SourceRow]) -> int:
        """Keep the source as it is now, and give the number of rows."""
        count = 0
        with self._write() as connection:
            connection.execute(delete(t.rows))
            batch: list[dict[str, object]] = []
            for row in found:
                batch.append({"place": count, "id": row.id, "fields": row.model_dump_json(include={"fields"})})
                count += 1
                if len(batch) == 1000:
                    connection.execute(insert(t.rows), batch)
                    batch.clear()
            if batch:
                connection.execute(insert(t.rows), batch)
        self.set_meta("rows", str(count))
        return count

    # -- settling -------------------------------------------------------------------------------------------

    def settle(self, change: Settlement) -> int:
        """Store one decision with all that hangs on it; give its settle-log number."""
        task, decision = change.negotiation.number, change.decision
        with self._write() as connection:
            log = self._next_log(connection, change.kind, task, decision.outcome)
            self._put_task(connection, change, log)
            if change.released:
                connection.execute(delete(t.gate).where(t.gate.c.task == task))
            if change.held:
                entries = [entry._replace(log=log)._asdict() for entry in change.held]
                connection.execute(insert(t.gate), entries)
            if change.review is not None:
                connection.execute(update(t.reviews).where(t.reviews.c.id == change.review).values(log=log))
            for given in change.assigned:
                self._put_assigned(connection, given, log)
        return log

    def _next_log(self, connection: Connection, kind: str, task: int, outcome: str) -> int:
        log = (connection.execute(select(func.max(t.settle_log.c.log))).scalar() or 0) + 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        connection.execute(insert(t.settle_log).values(log=log, kind=kind, task=task, outcome=outcome, at=at))
        return log

    def _put_assigned(self, connection: Connection, given: Assigned, log: int) -> None:
        parameters = orjson.dumps(given.parameters).decode()
        values = {"task": given.task, "log": log, "like": given.like, "parameters": parameters}
        connection.execute(insert(t.assigned).values(**values))

    def _put_task(self, connection: Connection, change: Settlement, log: int | None) -> None:
        negotiation, decision = change.negotiation, change.decision
        task = negotiation.ticket.task
        usage = negotiation.usage
        values = {
            "task": task.number,
            "outcome": decision.outcome,
            "stage": decision.stage,
            "cause": decision.cause,
            "persona": task.persona.id if task.persona else None,
            "source_id": task.source_id,
            "score": decision.score,
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cost_usd": usage.cost_usd,
            "decision": decision.model_dump_json(),
            "negotiation": negotiation.model_dump_json(),
            "sample": change.sample.model_dump_json() if change.sample else None,
        }
        # A later decision leaves the place at which the task itself was settled.
        changed = {key: value for key, value in values.items() if key != "task"}
        statement = upsert(t.tasks).values(log=log, **values)
        if change.kind == "task":
            changed["log"] = log
        connection.execute(statement.on_conflict_do_update(index_elements=["task"], set_=changed))

    def give_numbers(self, given: Sequence[Assigned]) -> None:
        """Give out task numbers outside of any review: failed tasks that are asked again."""
        with self._write() as connection:
            for number in given:
                log = self._next_log(connection, "retry", number.like, "assigned")
                self._put_assigned(connection, number, log)

    def put_surplus(self, numbers: list[int]) -> None:
        """Note tasks that were under way when the run had enough."""
        decision = Decision(outcome="surplus", stage="settle", cause="enough", detail="the run had enough samples")
        fixed = {
            "outcome": "surplus",
            "stage": "settle",
            "cause": "enough",
            "calls": 0,
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "decision": decision.model_dump_json(),
        }
        if numbers:
            with self._write() as connection:
                statement = upsert(t.tasks).on_conflict_do_nothing()
                connection.execute(statement, [{"task": number, **fixed} for number in numbers])

    def clear_surplus(self) -> None:
        """Forget surplus tasks: the run draws on from there."""
        with self._write() as connection:
            connection.execute(delete(t.tasks).where(t.tasks.c.outcome == "surplus"))

    # -- people ---------------------------------------------------------------------------------------------

    def queue_review(self, human: HumanDecision) -> None:
        """Append a person's decision; needs no lock, the engine gives it its place."""
        with self._write() as connection:
            connection.execute(insert(t.reviews).values(task=human.task, decision=human.model_dump_json()))

    def refuse_review(self, review: int, problem: str) -> None:
        """Note why a person's decision could not be applied."""
        with self._write() as connection:
            connection.execute(update(t.reviews).where(t.reviews.c.id == review).values(problem=problem))
