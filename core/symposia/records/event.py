"""What happens in a run, as one stream: it feeds the terminal, the plain log, JSON lines and plugins."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from symposia.records.base import JsonObject, Record
from symposia.records.decision import Decision
from symposia.records.draft import Draft
from symposia.records.negotiation import Turn
from symposia.records.usage import Usage

__all__ = [
    "EVENT",
    "Event",
    "NoticeGiven",
    "RunFinished",
    "RunStarted",
    "TaskSettled",
    "TaskStarted",
    "TurnTaken",
]


class RunStarted(Record):
    """A run began or went on."""

    kind: Literal["run_started"] = "run_started"
    run: str
    folder: str
    resumed: bool
    samples: int
    settled: int = 0
    accepted: int = 0


class TaskStarted(Record):
    """A negotiation began."""

    kind: Literal["task_started"] = "task_started"
    task: int
    persona: str | None = None
    source_id: str | None = None


class TurnTaken(Record):
    """A role spoke; `draft` is there when it made one."""

    kind: Literal["turn_taken"] = "turn_taken"
    task: int
    turn: Turn
    draft: Draft | None = None


class TaskSettled(Record):
    """A task got its decision. Counts are those of the whole run after it."""

    kind: Literal["task_settled"] = "task_settled"
    task: int
    decision: Decision
    usage: Usage
    accepted: int
    rejected: int
    parked: int
    failed: int


class NoticeGiven(Record):
    """Something a user should know, said once."""

    kind: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"] = "info"
    message: str
    data: JsonObject = Field(default_factory=dict)


class RunFinished(Record):
    """A run came to rest. `state` is complete, waiting, capped, interrupted or stopped."""

    kind: Literal["run_finished"] = "run_finished"
    run: str
    folder: str
    state: Literal["complete", "waiting", "capped", "interrupted", "stopped"]
    reason: str = ""
    accepted: int
    rejected: int
    parked: int
    failed: int
    usage: Usage
    seconds: float


Event = Annotated[
    RunStarted | TaskStarted | TurnTaken | TaskSettled | NoticeGiven | RunFinished,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event back from JSON."""
