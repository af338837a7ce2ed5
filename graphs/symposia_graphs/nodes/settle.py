"""Settle: the decision, with stage and cause."""

from __future__ import annotations

from langgraph.runtime import Runtime

from symposia.contracts import ConcludeContext, ReviewPick
from symposia.judging.acceptance import Assessment
from symposia.records import Decision, HumanDecision
from symposia_graphs.conclusion import ConcludeState, assessment_of, human_of, negotiation_of, pick_of

__all__ = ["decide", "settle"]


async def settle(state: ConcludeState, runtime: Runtime[ConcludeContext]) -> ConcludeState:
    """Decide; only what is accepted keeps its place in the gate."""
    decision = decide(assessment_of(state), pick_of(state), human_of(state))
    gate = runtime.context.gate
    if decision.outcome != "accepted" and state["entry"] != "settle" and gate is not None:
        await gate.release(negotiation_of(state).number)
    return {"decision": decision.model_dump(mode="json")}


def decide(assessment: Assessment, pick: ReviewPick | None, human: HumanDecision | None) -> Decision:
    """The decision that follows from the rule of acceptance, the gate and a person's word, in that order.

    A person's acceptance is outside evidence of its own. What is undecided and seen by nobody is rejected.
    """
    if human is not None:
        return _by_person(assessment, human, pick)
    common = {"stage": assessment.stage, "detail": assessment.detail, "score": assessment.score}
    if assessment.outcome == "accept":
        place = {
            "policy": pick.policy if pick else None,
            "selection_probability": pick.selection_probability if pick else None,
        }
        return Decision.model_validate(
            {**common, **place, "outcome": "accepted", "stage": "settle", "evidence": assessment.evidence}
        )
    outcome = "failed" if assessment.outcome == "failed" else "rejected"
    cause = f"undecided:{assessment.cause}" if assessment.outcome == "undecided" else assessment.cause
    return Decision.model_validate({**common, "outcome": outcome, "cause": cause})


def _by_person(assessment: Assessment, human: HumanDecision, pick: ReviewPick | None) -> Decision:
    common = {
        "stage": "review",
        "score": assessment.score,
        "review": human,
        "policy": pick.policy if pick else human.policy,
        "selection_probability": pick.selection_probability if pick else human.selection_probability,
    }
    if human.action == "edit" and assessment.outcome == "reject":
        failed = {"stage": assessment.stage, "cause": assessment.cause, "detail": assessment.detail}
        return Decision.model_validate({**common, **failed, "outcome": "rejected"})
    if human.action in ("accept", "edit"):
        evidence = (*assessment.evidence, f"human:{human.reviewer}")
        return Decision.model_validate(
            {**common, "outcome": "accepted", "evidence": evidence, "detail": human.note}
        )
    cause = "sent_back" if human.action == "send_back" else (human.reasons[0] if human.reasons else "human")
    return Decision.model_validate({**common, "outcome": "rejected", "cause": cause, "detail": human.note})
