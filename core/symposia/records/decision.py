"""How a task ended, and what people decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from symposia.records.base import JsonObject, Record

__all__ = ["Decision", "HumanDecision", "Outcome", "ReviewAction", "Stage"]

Outcome = Literal["accepted", "rejected", "parked", "failed", "surplus", "withdrawn"]
Stage = Literal["propose", "screen", "verify", "criticise", "revise", "judge", "admit", "review", "settle"]
ReviewAction = Literal["accept", "edit", "reject", "send_back"]


class HumanDecision(Record):
    """One decision of one person.

    Attributes:
        task: Number of the task it is about.
        reviewer: Who decided.
        action: Accept, accept with an edit, reject, or send back with an objection.
        note: Free text; for ``send_back`` the objection.
        reasons: Principle ids or ``wrong_fact``, ``bad_format``, ``duplicate``, ``unsafe``, ``off_topic``,
            ``other``.
        edit: The edited payload (``edit`` only).
        blind: Whether the judges' scores were hidden until the decision.
        bulk: Whether it was one of many decided at once; such decisions never calibrate a judge.
        policy: The review policy that put the sample in the queue.
        selection_probability: Chance with which that policy picked the sample.
        content_hash: Hash of the payload that the person saw.
        constitution_hash: Hash of the constitution in force.
        decided_at: When, with time zone.
    """

    task: int = Field(ge=0)
    reviewer: str = Field(min_length=1)
    action: ReviewAction
    note: str = ""
    reasons: tuple[str, ...] = ()
    edit: JsonObject | None = None
    blind: bool = False
    bulk: bool = False
    policy: str
    selection_probability: float = Field(gt=0, le=1)
    content_hash: str
    constitution_hash: str
    decided_at: datetime


class Decision(Record):
    """The settled fate of a task. Nothing is dropped without one.

    Attributes:
        outcome: Accepted, rejected, parked, failed, surplus or withdrawn.
        stage: The step of the negotiation that decided.
        cause: Short machine-readable cause, for example ``grounded:quote_not_found`` or ``near_duplicate``.
        detail: One sentence for a reader.
        evidence: Names of the content evidence that passed (``verifier:grounded``, ``judge:panel``, ``human:ann``).
        score: Mean score of the judges that gave one, 0-1.
        review: The person's decision, where one was made.
        policy: The review policy that parked the sample.
        selection_probability: Chance with which it picked the sample.
    """

    outcome: Outcome
    stage: Stage
    cause: str = ""
    detail: str = ""
    evidence: tuple[str, ...] = ()
    score: float | None = None
    review: HumanDecision | None = None
    policy: str | None = None
    selection_probability: float | None = None
