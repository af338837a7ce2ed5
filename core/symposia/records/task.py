"""What is asked: everything drawn for one numbered task before a model speaks."""

from __future__ import annotations

from pydantic import Field

from symposia.records.base import JsonObject, Record
from symposia.records.persona import Persona

__all__ = ["SourceRow", "Task", "Ticket"]


class SourceRow(Record):
    """One row that a source yields.

    Attributes:
        id: Stable name of the row in its source, for example ``handbook.md#12``.
        fields: The row; a document source gives ``passage``, ``title``, ``heading`` and ``source``.
    """

    id: str
    fields: JsonObject


class Task(Record):
    """One numbered task of a run.

    Attributes:
        number: Place in the run, from 0; it orders settling and breaks ties.
        seed: The source row that the sample is made from; empty where the graph needs none.
        source_id: Stable name of that row.
        persona: Who asks, where personas are drawn.
        system: The drawn system instruction, where the recipe has some.
        parameters: Whatever else was drawn (topic, difficulty, examples, a person's objection).
    """

    number: int = Field(ge=0)
    seed: JsonObject = Field(default_factory=dict)
    source_id: str | None = None
    persona: Persona | None = None
    system: str | None = None
    parameters: JsonObject = Field(default_factory=dict)


class Ticket(Record):
    """A task with what a worker must know to negotiate it anywhere.

    Attributes:
        task: The task.
        run_seed: The run's seed; all randomness of the task comes from it and the task number.
        as_of: Number of the last settle-log entry that the task may see.
    """

    task: Task
    run_seed: int = 0
    as_of: int = 0
