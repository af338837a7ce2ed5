"""Weigh: which draft is best so far, and whether the argument goes on."""

from __future__ import annotations

from langgraph.runtime import Runtime

from symposia.contracts import NegotiateContext
from symposia_graphs.ranking import best_round, standing
from symposia_graphs.routes import why_ended
from symposia_graphs.state import NegotiateState, record

__all__ = ["weigh"]


async def weigh(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Rank the drafts, keep the best, and say why the argument stops if it does."""
    so_far = record(state, "")
    current = state["drafts"][-1].round
    best = best_round(so_far)
    return {
        "weighed": current,
        "best_round": current if best is None else best,
        "peak": None if best is None else standing(so_far, best),
        "ending": why_ended(state, runtime.context.settings),
    }
