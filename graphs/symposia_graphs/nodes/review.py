"""Review: a person is waited for."""

from __future__ import annotations

from langgraph.types import interrupt

from symposia_graphs.conclusion import ConcludeState, negotiation_of, pick_of

__all__ = ["review"]


async def review(state: ConcludeState) -> ConcludeState:
    """Park the sample until a person decided.

    The interrupt stands alone: the node runs again from its top when the thread goes on, so it asks no model and
    changes nothing.
    """
    negotiation, pick = negotiation_of(state), pick_of(state)
    best = negotiation.best
    request = {
        "task": negotiation.number,
        "content_hash": best.hash if best is not None else "",
        "policy": pick.policy if pick is not None else "",
    }
    return {"human": interrupt(request)}
