"""What the store gives and takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from symposia.contracts.novelty import GateEntry
from symposia.records import Decision, HumanDecision, JsonObject, Negotiation, Sample

__all__ = ["Assigned", "CauseCount", "Counts", "QueuedReview", "Settlement"]


@dataclass(frozen=True)
class Counts:
    """How many tasks ended how."""

    accepted: int = 0
    rejected: int = 0
    parked: int = 0
    failed: int = 0
    surplus: int = 0
    withdrawn: int = 0

    @property
    def settled(self) -> int:
        """Tasks with a decision; surplus ones have none."""
        return self.accepted + self.rejected + self.parked + self.failed + self.withdrawn


@dataclass(frozen=True)
class CauseCount:
    """How often a cause decided."""

    outcome: str
    stage: str
    cause: str
    count: int


class QueuedReview(NamedTuple):
    """A person's decision that waits for its place in the settle log."""

    id: int
    human: HumanDecision


class Assigned(NamedTuple):
    """A task number that was given, not drawn: it asks again what task `like` asked, with further parameters."""

    task: int
    like: int
    parameters: JsonObject


@dataclass(frozen=True)
class Settlement:
    """All that changes when one thing is decided; stored in one transaction.

    Attributes:
        kind: ``task`` for a negotiation, ``review`` for a person's decision on one.
        negotiation: The negotiation as it stands.
        decision: What was decided.
        sample: The row, when accepted.
        held: Gate entries that are held from now on.
        released: Whether the task's gate entries are given up.
        review: Id of the queued decision that is hereby applied.
        assigned: Task numbers given out by this decision.
    """

    kind: str
    negotiation: Negotiation
    decision: Decision
    sample: Sample | None = None
    held: tuple[GateEntry, ...] = ()
    released: bool = False
    review: int | None = None
    assigned: tuple[Assigned, ...] = ()
