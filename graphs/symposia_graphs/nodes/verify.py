"""Verify: checks whose evidence did not come from the generator."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from symposia.contracts import NegotiateContext, SeatedVerifier, VerdictStore
from symposia.errors import CapExceededError, EndpointError
from symposia.records import Draft, Evidence, Task, Verdict, content_hash
from symposia_graphs.nodes.calls import together
from symposia_graphs.routes import costly
from symposia_graphs.state import NegotiateState

__all__ = ["examine", "input_hash", "verdict_key", "verify"]

ATTEMPTS = 2
"""An error says nothing about the draft, so a verifier that broke is asked once more."""


async def verify(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Run the costly verifiers on the last draft, at the same time."""
    context = runtime.context
    task = state["ticket"].task
    return {"verdicts": await examine(costly(context), state["drafts"][-1], task, context.verdicts)}


async def examine(
    seats: Sequence[SeatedVerifier], draft: Draft, task: Task, store: VerdictStore | None
) -> tuple[Verdict, ...]:
    """Verdicts of several verifiers on one draft, in their order; stored ones are reused."""
    if not seats:
        return ()
    hash_ = input_hash(draft, task)
    return tuple(await together(_verdict(seat, draft, task, hash_, store) for seat in seats))


def input_hash(draft: Draft, task: Task) -> str:
    """Hash of all that a verdict may depend on: the payload, and the task without its number."""
    drawn = task.model_dump(mode="json", exclude={"number"})
    return content_hash({"payload": draft.payload, "task": drawn})


def verdict_key(seat: SeatedVerifier, hash_: str) -> str:
    """Under what a verdict is stored: verifier, version, parameters and input."""
    return content_hash([seat.verifier.name, seat.verifier.version, seat.params_hash, hash_])


async def _verdict(
    seat: SeatedVerifier, draft: Draft, task: Task, hash_: str, store: VerdictStore | None
) -> Verdict:
    key = verdict_key(seat, hash_)
    verdict = await store.get(key) if store is not None else None
    if verdict is None:
        verdict = await _ask(seat, draft, task)
        if store is not None and verdict.status != "error":
            await store.put(key, verdict)
    return verdict.model_copy(update={"round": draft.round, "required": seat.required, "input_hash": hash_})


async def _ask(seat: SeatedVerifier, draft: Draft, task: Task) -> Verdict:
    for _ in range(ATTEMPTS):
        try:
            verdict = await seat.verifier.verify(draft, task)
        except (GraphBubbleUp, EndpointError, CapExceededError):
            raise
        except Exception as exc:
            verdict = _broken(seat, exc)
        if verdict.status != "error":
            break
    return verdict


def _broken(seat: SeatedVerifier, exc: Exception) -> Verdict:
    evidence = Evidence(
        summary=f"the verifier broke: {type(exc).__name__}", private={"error": f"{type(exc).__name__}: {exc}"}
    )
    return Verdict(
        verifier=seat.verifier.name,
        version=seat.verifier.version,
        kind=seat.verifier.evidence,
        status="error",
        cause="broke",
        evidence=evidence,
    )
