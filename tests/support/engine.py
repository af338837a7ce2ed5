"""A graph without models: what it drafts and how long it takes are functions that a test gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from symposia.contracts import ConcludeContext, Conclusion, NegotiateContext, Schema
from symposia.engine.plan import Plan
from symposia.engine.result import Rest, StopSignal
from symposia.engine.scheduler import Scheduler
from symposia.engine.settling import Settler
from symposia.judging.acceptance import assess
from symposia.records import (
    Decision,
    Draft,
    Event,
    Evidence,
    Failure,
    HumanDecision,
    JsonObject,
    Message,
    Negotiation,
    NoveltyVerdict,
    Recipe,
    SourceRow,
    Task,
    Ticket,
    Verdict,
)
from symposia.store import RunStore


@dataclass
class FakeGraph:
    """Drafts ``draft(ticket)``: a text to verify, or an exception to raise; text with 'bad' fails."""

    draft: Callable[[Ticket], str]
    steps: Callable[[int], int] = lambda number: 0
    park: Callable[[int], bool] = lambda number: False
    name: str = "fake"
    fingerprint: str = "1"
    in_flight: int = 0
    most_in_flight: int = 0
    tickets: dict[int, Ticket] = field(default_factory=dict)

    def draft_schema(self, task: Task) -> Schema:
        return Schema("Text", {"type": "object"}, lambda value: value)

    def messages(self, task: Task, payload: JsonObject) -> tuple[Message, ...]:
        return ({"role": "assistant", "content": str(payload["text"])},)

    async def negotiate(self, ticket: Ticket, context: NegotiateContext) -> Negotiation:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.tickets[ticket.task.number] = ticket
        try:
            for _ in range(self.steps(ticket.task.number)):
                await asyncio.sleep(0)
            return self._negotiation(ticket)
        finally:
            self.in_flight -= 1

    def _negotiation(self, ticket: Ticket) -> Negotiation:
        text = self.draft(ticket)
        if text == "failed":
            failure = Failure(stage="propose", cause="context_overflow")
            return Negotiation(ticket=ticket, graph="fake", ending="failed", failure=failure)
        verdict = Verdict(
            verifier="fake",
            kind="content",
            status="fail" if "bad" in text else "pass",
            cause="bad" if "bad" in text else "",
            evidence=Evidence(summary="looked at it"),
        )
        draft = Draft(round=0, author="teacher", payload={"text": text})
        return Negotiation(
            ticket=ticket, graph="fake", drafts=(draft,), verdicts=(verdict,), best_round=0, ending="settled"
        )

    async def conclude(self, negotiation: Negotiation, context: ConcludeContext) -> Conclusion:
        found = assess(negotiation, context.settings)
        outcomes = {"accept": "accepted", "reject": "rejected", "undecided": "rejected", "failed": "failed"}
        outcome = outcomes[found.outcome]
        novelty: NoveltyVerdict | None = None
        if outcome == "accepted" and context.gate is not None and negotiation.best is not None:
            novelty = await context.gate.reserve(negotiation.number, negotiation.best)
        if novelty is not None and not novelty.novel:
            return Conclusion(Decision(outcome="rejected", stage="admit", cause="near_duplicate"), negotiation)
        policy = None
        if outcome == "accepted" and self.park(negotiation.number):
            outcome, policy = "parked", "all"
        decision = Decision.model_validate(
            {
                "outcome": outcome,
                "stage": found.stage,
                "cause": found.cause,
                "evidence": found.evidence,
                "policy": policy,
                "selection_probability": 1.0 if policy else None,
            }
        )
        return Conclusion(decision, negotiation)

    async def resume(self, parked: Negotiation, human: HumanDecision, context: ConcludeContext) -> Conclusion:
        outcome = "accepted" if human.action == "accept" else "rejected"
        if outcome == "rejected" and context.gate is not None:
            await context.gate.release(parked.number)
        cause = "sent_back" if human.action == "send_back" else ""
        decision = Decision.model_validate(
            {"outcome": outcome, "stage": "review", "cause": cause, "review": human, "evidence": ("human:ann",)}
        )
        return Conclusion(decision, parked)

    async def close(self) -> None:
        return None


@dataclass
class Run:
    """One run over a fake graph."""

    folder: Path
    graph: FakeGraph
    recipe: Recipe
    events: list[Event] = field(default_factory=list)

    async def go(self, stop: StopSignal | None = None) -> Rest:
        with RunStore.open(self.folder, write=True) as store:
            if store.meta("recipe") is None:
                store.set_meta("recipe", self.recipe.model_dump_json())
                store.set_meta("identity", "same")
                store.put_rows(SourceRow(id=f"row#{i}", fields={"i": i}) for i in range(7))
            settler = Settler(self.recipe, store, self.graph, ConcludeContext(), None, None, self.events.append)
            scheduler = Scheduler(
                self.recipe,
                Plan(self.recipe, store, ()),
                self.graph,
                NegotiateContext(roles={}),
                settler,
                store,
                stop or StopSignal(),
                self.events.append,
            )
            return await scheduler.run()

    def fates(self) -> list[tuple[int, str]]:
        with RunStore.open(self.folder) as store:
            return [(n, d.outcome) for n, d in store.decisions() if d.outcome != "surplus"]

    def dataset(self) -> list[str]:
        with RunStore.open(self.folder) as store:
            return [sample.model_dump_json() for sample in store.samples()]


class MakeRun(Protocol):
    """Makes a run: ``make_run(draft, samples=…, in_flight=…, window=…)``."""

    def __call__(
        self,
        draft: Callable[[Ticket], str],
        *,
        samples: int = 10,
        in_flight: int = 8,
        window: int = 32,
        jitter: int | None = None,
        folder: str | None = None,
        park: Callable[[int], bool] = ...,
        **limits: object,
    ) -> Run: ...
