"""Admit: the novelty gate has the final word on whether a draft is new."""

from __future__ import annotations

from dataclasses import replace

from langgraph.runtime import Runtime

from symposia.contracts import ConcludeContext, NoveltyGate
from symposia.judging.acceptance import Assessment
from symposia.records import Draft, Negotiation, NoveltyVerdict
from symposia_graphs.conclusion import ConcludeState, assessment_of, negotiation_of, plain

__all__ = ["admit", "reserved"]


async def admit(state: ConcludeState, runtime: Runtime[ConcludeContext]) -> ConcludeState:
    """Reserve a place for the surviving draft; without a gate everything is new."""
    negotiation = negotiation_of(state)
    gate, draft = runtime.context.gate, negotiation.best
    if gate is None or draft is None:
        return {}
    negotiation, assessment = await reserved(gate, negotiation, draft, assessment_of(state))
    return {"negotiation": negotiation.model_dump_json(), "assessment": plain(assessment)}


async def reserved(
    gate: NoveltyGate, negotiation: Negotiation, draft: Draft, assessment: Assessment
) -> tuple[Negotiation, Assessment]:
    """The negotiation with what the gate said; a near duplicate turns the assessment into a rejection."""
    verdict = await gate.reserve(negotiation.number, draft)
    if verdict is None:
        return negotiation, assessment
    verdict = verdict.model_copy(update={"round": draft.round})
    negotiation = negotiation.model_copy(update={"probes": (*negotiation.probes, verdict)})
    if verdict.novel:
        return negotiation, assessment
    return negotiation, replace(
        assessment, outcome="reject", stage="admit", cause="near_duplicate", detail=_nearest(verdict)
    )


def _nearest(verdict: NoveltyVerdict) -> str:
    near = f", nearest is {verdict.neighbours[0].id}" if verdict.neighbours else ""
    return f"similarity {verdict.similarity:.3f} at threshold {verdict.threshold:.3f}{near}"
