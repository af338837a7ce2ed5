"""Settling: one decision after another, in task order, each stored in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symposia.contracts import ConcludeContext, Conclusion, Graph
from symposia.engine.gate import Gate
from symposia.errors import UsageError
from symposia.records import (
    Decision,
    Event,
    HumanDecision,
    JsonObject,
    Negotiation,
    NoticeGiven,
    Recipe,
    Sample,
    TaskSettled,
    Usage,
    content_hash,
)
from symposia.store import Assigned, Counts, QueuedReview, RunStore, Settlement

__all__ = ["Settler"]


class Settler:
    """Turns negotiations and people's decisions into stored decisions.

    Args:
        recipe: The frozen recipe.
        store: The run's store, opened for writing.
        graph: The graph.
        context: What the conclusion works with.
        gate: The novelty gate, or None.
        constitution: Name and hash of the constitution, for samples.
        emit: Tells what happened.
    """

    def __init__(
        self,
        recipe: Recipe,
        store: RunStore,
        graph: Graph,
        context: ConcludeContext,
        gate: Gate | None,
        constitution: str | None,
        emit: Callable[[Event], None],
    ) -> None:
        self._recipe = recipe
        self._store = store
        self._graph = graph
        self._context = context
        self._gate = gate
        self._constitution = constitution
        self._emit = emit
        self._models = _models(recipe)
        self._identity = store.identity()
        self.counts: Counts = store.counts()
        self.usage: Usage = store.usage()
        self.next_task: int = store.next_task()
        self.logs: dict[int, int] = store.logs_from(self.next_task - (recipe.limits.window or 0))

    async def settle(self, negotiation: Negotiation) -> Decision:
        """Conclude and store the next task in order."""
        conclusion = await self._graph.conclude(negotiation, self._context)
        log = await self._store_change(conclusion, "task")
        self.logs[negotiation.number] = log
        self.logs.pop(negotiation.number - (self._recipe.limits.window or 0), None)
        self.next_task = negotiation.number + 1
        self._count(conclusion.decision.outcome, 1)
        self.usage = self.usage + negotiation.usage
        self._tell(negotiation, conclusion.decision)
        return conclusion.decision

    async def review(self, queued: QueuedReview, free_number: int) -> tuple[Assigned, ...]:
        """Apply a person's decision; give the task numbers that it hands out.

        A decision that can't be applied is noted with its reason and changes nothing.
        """
        human = queued.human
        before = self._store.decision(human.task)
        negotiation = self._store.negotiation(human.task)
        if before is None or negotiation is None:
            return self._refuse(queued, f"task {human.task} has no decision yet")
        try:
            if before.outcome == "parked":
                conclusion = await self._graph.resume(negotiation, human, self._context)
            elif before.outcome == "accepted" and before.review is None and before.policy is not None:
                conclusion = await self._second_thought(negotiation, before, human)
            else:
                return self._refuse(queued, f"task {human.task} is {before.outcome}; nothing settled is reopened")
        except UsageError as exc:
            return self._refuse(queued, exc.message)
        given: tuple[Assigned, ...] = ()
        if human.action == "send_back":
            given = (Assigned(free_number, human.task, {"sent_back": _sent_back(negotiation, human)}),)
        await self._store_change(conclusion, "review", review=queued.id, assigned=given)
        self._count(before.outcome, -1)
        self._count(conclusion.decision.outcome, 1)
        self._tell(conclusion.negotiation, conclusion.decision)
        return given

    async def _second_thought(self, negotiation: Negotiation, before: Decision, human: HumanDecision) -> Conclusion:
        """A decision on a sample that was accepted in place: it stays, or it is withdrawn."""
        if human.action == "accept":
            return Conclusion(before.model_copy(update={"review": human}), negotiation)
        if human.action != "reject":
            raise UsageError(f"task {human.task} is accepted already: accept or reject it")
        if self._gate is not None:
            await self._gate.release(human.task)
        cause = human.reasons[0] if human.reasons else "human"
        update = {"outcome": "withdrawn", "stage": "review", "cause": cause, "detail": human.note, "review": human}
        return Conclusion(before.model_copy(update=update), negotiation)

    def _refuse(self, queued: QueuedReview, problem: str) -> tuple[Assigned, ...]:
        self._store.refuse_review(queued.id, problem)
        self._emit(NoticeGiven(level="warning", message=f"a review decision was not applied: {problem}"))
        return ()

    async def _store_change(
        self, conclusion: Conclusion, kind: str, review: int | None = None, assigned: tuple[Assigned, ...] = ()
    ) -> int:
        held, released = self._gate.staged() if self._gate else ((), False)
        log = self._store.settle(
            Settlement(
                kind=kind,
                negotiation=conclusion.negotiation,
                decision=conclusion.decision,
                sample=self._sample(conclusion),
                held=held,
                released=released,
                review=review,
                assigned=assigned,
            )
        )
        if self._gate is not None:
            await self._gate.settled(log)
        return log

    def _sample(self, conclusion: Conclusion) -> Sample | None:
        decision, negotiation = conclusion.decision, conclusion.negotiation
        best = negotiation.best
        if decision.outcome != "accepted" or best is None:
            return None
        task = negotiation.ticket.task
        return Sample(
            id=content_hash([self._identity, task.number, best.payload])[:16],
            task=task.number,
            graph=negotiation.graph,
            messages=self._graph.messages(task, best.payload),
            payload=best.payload,
            source_id=task.source_id,
            persona=task.persona.id if task.persona else None,
            evidence=decision.evidence,
            score=decision.score,
            rounds=len(negotiation.drafts),
            models=self._models,
            constitution=self._constitution,
            human=decision.review.action if decision.review else None,
        )

    def _count(self, outcome: str, change: int) -> None:
        self.counts = replace(self.counts, **{outcome: getattr(self.counts, outcome) + change})

    def _tell(self, negotiation: Negotiation, decision: Decision) -> None:
        self._emit(
            TaskSettled(
                task=negotiation.number,
                decision=decision,
                usage=negotiation.usage,
                accepted=self.counts.accepted,
                rejected=self.counts.rejected,
                parked=self.counts.parked,
                failed=self.counts.failed,
            )
        )

    def queued(self) -> Iterator[QueuedReview]:
        """People's decisions that wait for their place."""
        yield from self._store.queued_reviews()


def _sent_back(negotiation: Negotiation, human: HumanDecision) -> JsonObject:
    best = negotiation.best
    return {
        "task": human.task,
        "reviewer": human.reviewer,
        "objection": human.note,
        "reasons": list(human.reasons),
        "payload": best.payload if best else {},
    }


def _models(recipe: Recipe) -> dict[str, str]:
    roles = recipe.roles
    models = {
        "teacher": roles.teacher.model,
        "critic": (roles.critic or roles.teacher).model,
        "reviser": (roles.reviser or roles.teacher).model,
    }
    if recipe.constitution is None:
        del models["critic"]
    for place, judge in enumerate(roles.judges):
        models[f"judge:{judge.name or f'{judge.use}-{place + 1}'}"] = judge.model
    return models
