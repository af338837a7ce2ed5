"""Amend: a person's edit becomes a draft and passes the checks like any other."""

from __future__ import annotations

from dataclasses import replace

from langgraph.runtime import Runtime

from symposia.contracts import ConcludeContext
from symposia.errors import GraphError, UsageError
from symposia.judging.acceptance import Assessment, content_evidence
from symposia.records import Draft, HumanDecision, Negotiation, NegotiationSpec, Verdict
from symposia_graphs.conclusion import ConcludeState, assessment_of, human_of, negotiation_of, plain
from symposia_graphs.method import Method
from symposia_graphs.nodes.admit import reserved
from symposia_graphs.nodes.calls import ConcludeNode, payload_of
from symposia_graphs.nodes.verify import examine

__all__ = ["amend", "edited"]


def amend(method: Method) -> ConcludeNode:
    """The node that verifies and gates an edited draft anew.

    A person's word is outside evidence and outweighs open objections, but not a required verifier or the gate.
    """

    async def amend(state: ConcludeState, runtime: Runtime[ConcludeContext]) -> ConcludeState:
        context = runtime.context
        negotiation, human = negotiation_of(state), human_of(state)
        if human is None:
            raise GraphError("an edit was reached without a person's decision", "resume the thread with one")
        draft = edited(method, negotiation, human)
        verdicts = await examine(context.verifiers, draft, negotiation.ticket.task, context.verdicts)
        negotiation = negotiation.model_copy(
            update={
                "drafts": (*negotiation.drafts, draft),
                "verdicts": (*negotiation.verdicts, *verdicts),
                "best_round": draft.round,
            }
        )
        assessment = _reassessed(assessment_of(state), negotiation, verdicts, context.settings)
        if assessment.outcome == "accept" and context.gate is not None:
            await context.gate.release(negotiation.number)
            negotiation, assessment = await reserved(context.gate, negotiation, draft, assessment)
        return {"negotiation": negotiation.model_dump_json(), "assessment": plain(assessment)}

    return amend


def edited(method: Method, negotiation: Negotiation, human: HumanDecision) -> Draft:
    """The draft that a person's edit makes.

    Raises:
        UsageError: The edit is missing or does not follow the draft schema.
    """
    if human.edit is None:
        raise UsageError(f"task {human.task}: an edit was announced, but no payload came with it")
    try:
        payload = payload_of(method.schema(negotiation.ticket.task).read(human.edit))
    except ValueError as exc:
        raise UsageError(
            f"task {human.task}: the edit is no draft of graph '{method.name}': {exc}", "mend it and decide again"
        ) from None
    return Draft(round=len(negotiation.drafts), author=f"human:{human.reviewer}", payload=payload)


def _reassessed(
    before: Assessment, negotiation: Negotiation, verdicts: tuple[Verdict, ...], settings: NegotiationSpec
) -> Assessment:
    before = replace(before, score=None)  # The judges scored another draft.
    bad = next((v for v in verdicts if v.required and v.status in ("fail", "error")), None)
    evidence = tuple(e for e in content_evidence(negotiation, settings) if e.startswith("verifier:"))
    if bad is None:
        return replace(before, outcome="accept", stage="review", cause="", detail="", evidence=evidence)
    cause = f"edit_failed:{bad.verifier}:{bad.cause or bad.status}"
    return replace(before, outcome="reject", stage="review", cause=cause, detail=bad.evidence.summary, evidence=())
