"""An accepted row: a view of its negotiation, without clock, cost or host."""

from __future__ import annotations

from pydantic import Field

from symposia.records.base import JsonObject, Record
from symposia.records.message import Message

__all__ = ["Sample"]


class Sample(Record):
    """One row of the dataset.

    Attributes:
        id: First 16 digits of the hash of run identity, task number and payload.
        task: Number of the task.
        graph: Graph that made it.
        messages: The row as a chat, where the graph has a chat view.
        payload: The row in the graph's draft schema.
        source_id: The source row it was made from.
        persona: Id of the drawn persona.
        evidence: Content evidence that let it in.
        score: Mean score of the judges, 0-1.
        rounds: Number of drafts that were made.
        models: Logical model by role.
        constitution: Name and hash of the constitution.
        human: Reviewer's action, where a person decided.
    """

    id: str
    task: int = Field(ge=0)
    graph: str
    messages: tuple[Message, ...] = ()
    payload: JsonObject
    source_id: str | None = None
    persona: str | None = None
    evidence: tuple[str, ...] = ()
    score: float | None = None
    rounds: int = 1
    models: dict[str, str] = Field(default_factory=dict)
    constitution: str | None = None
    human: str | None = None
