"""The conclusion of a negotiation: admit, review, settle. Runs on the driver, in task order.

Its state is plain JSON, because it is checkpointed while a person is waited for.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal, TypedDict

from symposia.contracts import ReviewPick
from symposia.judging.acceptance import Assessment
from symposia.records import Decision, HumanDecision, JsonObject, Negotiation

__all__ = [
    "FORMAT",
    "ConcludeState",
    "Entry",
    "assessment_of",
    "decision_of",
    "human_of",
    "negotiation_of",
    "opening",
    "pick_of",
    "plain",
]

FORMAT = 1
"""Changes whenever an older checkpoint can't be gone on with."""

Entry = Literal["admit", "review", "settle"]


class ConcludeState(TypedDict, total=False):
    """What the nodes of a conclusion share.

    Attributes:
        format: Form of this state.
        entry: The step to begin with.
        blocking: Whether a picked sample waits for a person.
        negotiation: The record, as JSON text.
        assessment: What the rule of acceptance said.
        pick: By which policy a person sees the sample, and with which chance it was picked.
        human: What the person decided.
        decision: How the task ended.
    """

    format: int
    entry: Entry
    blocking: bool
    negotiation: str
    assessment: dict[str, Any]
    pick: dict[str, Any] | None
    human: JsonObject | None
    decision: JsonObject | None


def opening(
    negotiation: Negotiation, assessment: Assessment, pick: ReviewPick | None, *, blocking: bool, parked: bool
) -> ConcludeState:
    """The state in which a conclusion starts; one that was parked goes straight to the review."""
    entry: Entry = "admit" if assessment.outcome in ("accept", "undecided") else "settle"
    return {
        "format": FORMAT,
        "entry": "review" if parked else entry,
        "blocking": blocking,
        "negotiation": negotiation.model_dump_json(),
        "assessment": plain(assessment),
        "pick": asdict(pick) if pick is not None else None,
        "human": None,
        "decision": None,
    }


def plain(assessment: Assessment) -> dict[str, Any]:
    """An assessment as JSON has it."""
    return {**asdict(assessment), "evidence": list(assessment.evidence)}


def negotiation_of(state: ConcludeState) -> Negotiation:
    """The record of the negotiation."""
    return Negotiation.model_validate_json(state["negotiation"])


def assessment_of(state: ConcludeState) -> Assessment:
    """What the rule of acceptance said."""
    values = state["assessment"]
    return Assessment(**{**values, "evidence": tuple(values["evidence"])})


def pick_of(state: ConcludeState) -> ReviewPick | None:
    """The review pick, where there is one."""
    values = state.get("pick")
    return ReviewPick(**values) if values is not None else None


def human_of(state: ConcludeState) -> HumanDecision | None:
    """The person's decision, where there is one."""
    values = state.get("human")
    return HumanDecision.model_validate(values) if values is not None else None


def decision_of(state: ConcludeState) -> Decision:
    """The decision; one that is not made yet is ``parked``."""
    values = state.get("decision")
    if values is not None:
        return Decision.model_validate(values)
    assessment, pick = assessment_of(state), pick_of(state)
    return Decision(
        outcome="parked",
        stage="review",
        cause=assessment.cause,
        detail=assessment.detail,
        evidence=assessment.evidence,
        score=assessment.score,
        policy=pick.policy if pick else None,
        selection_probability=pick.selection_probability if pick else None,
    )
