"""Rules that every graph keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from symposia.contracts import Ask, ConcludeContext, Conclusion, Graph, NegotiateContext
from symposia.errors import CapExceededError, EndpointError, RequestError, SymposiaError, UsageError
from symposia.records import HumanDecision, JsonValue, Negotiation, NegotiationSpec, ReviewSpec, Ticket
from symposia.testing.conformance.rules import ScriptedRole, require, unreadable

__all__ = ["check_graph"]

_RULE = NegotiationSpec(min_evidence=0)


async def check_graph(build: Callable[[], Graph], *, drafts: Callable[[Ask], JsonValue], ticket: Ticket) -> None:
    """Check a graph.

    Args:
        build: Makes the graph; graphs made by it share what was parked, where the graph keeps that in files.
        drafts: What the teacher says to any question of this graph: a draft in its schema.
        ticket: A task that the graph can negotiate.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    graph = build()
    try:
        require(graph.name, "a graph has a name")
        require(graph.fingerprint and graph.fingerprint == build().fingerprint, "the fingerprint is stable")
        negotiation = await _negotiates(graph, drafts, ticket)
        require(negotiation == await _negotiates(build(), drafts, ticket), "equal answers give an equal record")
        _drafts(graph, negotiation)
        await _fails(graph, ticket)
        conclusion = await graph.conclude(negotiation, ConcludeContext(settings=_RULE))
        require(conclusion.decision.outcome == "accepted", f"a clean draft is accepted, not {conclusion.decision}")
        await _parks(graph, build, negotiation)
    finally:
        await graph.close()
        await graph.close()


def _table(script: Callable[[Ask], JsonValue]) -> NegotiateContext:
    return NegotiateContext(roles={name: ScriptedRole(script, name) for name in ("teacher", "critic", "reviser")})


async def _negotiates(graph: Graph, drafts: Callable[[Ask], JsonValue], ticket: Ticket) -> Negotiation:
    heard: list[int] = []
    context = _table(drafts)
    context = NegotiateContext(roles=context.roles, on_turn=lambda task, turn, draft: heard.append(task))
    negotiation = await graph.negotiate(ticket, context)
    require(negotiation.ticket == ticket and negotiation.graph == graph.name, "the record names ticket and graph")
    require(negotiation.ending == "settled" and negotiation.best, "a draft that nobody objects to is settled")
    require(heard == [ticket.task.number] * len(negotiation.turns), "listeners hear every turn, with its task")
    text = negotiation.model_dump_json()
    require(Negotiation.model_validate_json(text) == negotiation, "a record survives JSON")
    return negotiation


def _drafts(graph: Graph, negotiation: Negotiation) -> None:
    task, best = negotiation.ticket.task, negotiation.best
    assert best is not None
    schema = graph.draft_schema(task)
    require(schema.read(dict(best.payload)) == best.payload, "a draft is in the normal form of its schema")
    refused: tuple[JsonValue, ...] = (None, "text", [], {})
    for wrong in refused:
        try:
            schema.read(wrong)
        except ValueError:
            continue
        raise AssertionError(f"the draft schema refuses {wrong!r} with a ValueError")
    messages = graph.messages(task, best.payload)
    require(not messages or messages[-1]["role"] == "assistant", "a chat view ends with the assistant")
    require(all(message["content"].strip() for message in messages), "no message is empty")


async def _fails(graph: Graph, ticket: Ticket) -> None:
    def raising(error: SymposiaError) -> Callable[[Ask], JsonValue]:
        def script(ask: Ask) -> JsonValue:
            raise error

        return script

    unusable = await graph.negotiate(ticket, _table(unreadable))
    require(unusable.ending == "unusable" and unusable.failure, "a teacher that gives nothing usable is recorded")
    failed = await graph.negotiate(ticket, _table(raising(RequestError("too long", "context_overflow"))))
    cause = failed.failure.cause if failed.failure else ""
    require(
        failed.ending == "failed" and cause == "context_overflow", "a failed request fails the task by its cause"
    )
    for negotiation, outcome in ((unusable, "rejected"), (failed, "failed")):
        decision = (await graph.conclude(negotiation, ConcludeContext(settings=_RULE))).decision
        require(
            decision.outcome == outcome and decision.cause, f"{negotiation.ending} is {outcome}, with its cause"
        )
    for error in (EndpointError("down"), CapExceededError("spent")):
        try:
            await graph.negotiate(ticket, _table(raising(error)))
        except type(error):
            continue
        raise AssertionError(f"{type(error).__name__} leaves the task open: it passes through")


async def _parks(graph: Graph, build: Callable[[], Graph], negotiation: Negotiation) -> None:
    context = ConcludeContext(settings=_RULE, review=ReviewSpec(policy="all"))
    parked = await graph.conclude(negotiation, context)
    require(parked.decision.outcome == "parked", "a picked sample waits for a person")
    other = build()
    try:
        for task, hash_ in ((negotiation.number, "of another draft"), (negotiation.number + 1, None)):
            try:
                await other.resume(parked.negotiation, _accepts(parked, task, hash_), context)
            except UsageError:
                continue
            raise AssertionError("a decision about something else than the parked draft is refused")
        human = _accepts(parked, negotiation.number)
        done = await other.resume(parked.negotiation, human, context)
        decision = done.decision
        require(
            decision.outcome == "accepted" and decision.review == human, "an acceptance is kept, with who decided"
        )
        require(f"human:{human.reviewer}" in decision.evidence, "a person's acceptance is evidence")
    finally:
        await other.close()


def _accepts(parked: Conclusion, task: int, hash_: str | None = None) -> HumanDecision:
    best = parked.negotiation.best
    assert best is not None
    return HumanDecision(
        task=task,
        reviewer="ann",
        action="accept",
        policy="all",
        selection_probability=1.0,
        content_hash=hash_ or best.hash,
        constitution_hash="",
        decided_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
