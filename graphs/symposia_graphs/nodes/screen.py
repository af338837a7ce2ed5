"""Screen: cheap checks and a look at what was admitted, before anybody is asked again."""

from __future__ import annotations

from langgraph.runtime import Runtime

from symposia.contracts import NegotiateContext
from symposia_graphs.nodes.verify import examine
from symposia_graphs.state import NegotiateState

__all__ = ["screen"]


async def screen(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Run the cheap verifiers on the last draft, then the read-only novelty probe.

    A draft that a required verifier refuses is not probed: what is empty or malformed has no place among vectors.
    """
    context = runtime.context
    ticket, draft = state["ticket"], state["drafts"][-1]
    cheap = [seat for seat in context.verifiers if seat.verifier.cost == "cheap"]
    verdicts = await examine(cheap, draft, ticket.task, context.verdicts)
    refused = any(verdict.required and verdict.status == "fail" for verdict in verdicts)
    probe = None
    if context.probe is not None and not refused:
        probe = await context.probe.probe(draft, ticket.as_of)
    if probe is None:
        return {"verdicts": verdicts}
    return {"verdicts": verdicts, "probes": (probe.model_copy(update={"round": draft.round}),)}
