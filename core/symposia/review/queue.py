"""What waits for people, and the record of what one of them decided; the same for every review surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from symposia.errors import UsageError, did_you_mean
from symposia.records import Constitution, Decision, HumanDecision, JsonObject, Negotiation, ReviewAction
from symposia.store import RunStore

__all__ = ["REASONS", "ReviewQueue", "Waiting"]

REASONS = ("wrong_fact", "bad_format", "duplicate", "unsafe", "off_topic", "other")
"""Reasons beside the ids of the constitution's principles."""


@dataclass(frozen=True)
class Waiting:
    """A sample that a person shall see.

    Attributes:
        negotiation: The whole conversation.
        decision: The decision so far: parked, or accepted in place.
    """

    negotiation: Negotiation
    decision: Decision

    @property
    def task(self) -> int:
        """Number of the task."""
        return self.negotiation.number

    @property
    def actions(self) -> tuple[ReviewAction, ...]:
        """What can be decided; a sample that was accepted in place can only stay or go."""
        if self.decision.outcome == "parked":
            return ("accept", "edit", "reject", "send_back")
        return ("accept", "reject")


class ReviewQueue:
    """The review queue of one run.

    Args:
        store: The run's store, open for writing.
        clock: The time, with time zone.
    """

    def __init__(self, store: RunStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        text = store.meta("constitution")
        self.constitution = Constitution.model_validate_json(text) if text else None

    def waiting(self) -> Iterator[Waiting]:
        """Samples without a person's decision, in task order; those with a queued one are left out."""
        queued = {review.human.task for review in self._store.queued_reviews()}
        for outcome in ("parked", "accepted"):
            for task, decision in self._store.decisions(outcome):
                if task in queued or decision.policy is None or decision.review is not None:
                    continue
                negotiation = self._store.negotiation(task)
                if negotiation is not None and negotiation.best is not None:
                    yield Waiting(negotiation, decision)

    def find(self, task: int) -> Waiting:
        """One sample that waits.

        Raises:
            UsageError: The task waits for nobody.
        """
        tasks = []
        for waiting in self.waiting():
            if waiting.task == task:
                return waiting
            tasks.append(str(waiting.task))
        raise UsageError(f"task {task} waits for nobody", f"waiting: {', '.join(tasks[:20]) or 'none'}")

    def record(
        self,
        waiting: Waiting,
        *,
        reviewer: str,
        action: ReviewAction,
        note: str = "",
        reasons: Sequence[str] = (),
        edit: JsonObject | None = None,
        blind: bool = False,
        bulk: bool = False,
    ) -> HumanDecision:
        """The record of a decision; nothing is stored yet.

        Raises:
            UsageError: The action is not possible for this sample, or something that it needs is missing.
        """
        if action not in waiting.actions:
            raise UsageError(
                f"task {waiting.task} is {waiting.decision.outcome}: '{action}' is not possible",
                "possible: " + ", ".join(waiting.actions),
            )
        if (edit is None) == (action == "edit"):
            raise UsageError(f"task {waiting.task}: an edited payload goes with the action 'edit' and no other")
        if action == "send_back" and not note.strip():
            raise UsageError(
                f"task {waiting.task}: 'send_back' needs a note", "say what the next draft must do better"
            )
        self._check_reasons(waiting.task, reasons)
        best = waiting.negotiation.best
        assert best is not None  # `waiting` gives no others
        return HumanDecision(
            task=waiting.task,
            reviewer=reviewer,
            action=action,
            note=note,
            reasons=tuple(reasons),
            edit=edit,
            blind=blind,
            bulk=bulk,
            policy=waiting.decision.policy or "all",
            selection_probability=waiting.decision.selection_probability or 1.0,
            content_hash=best.hash,
            constitution_hash=self.constitution.hash if self.constitution else "",
            decided_at=self._clock(),
        )

    def _check_reasons(self, task: int, reasons: Sequence[str]) -> None:
        known = [*REASONS, *((p.id for p in self.constitution.principles) if self.constitution else ())]
        for reason in reasons:
            if reason not in known:
                raise UsageError(f"task {task}: '{reason}' is no reason", did_you_mean(reason, known))

    def put(self, human: HumanDecision) -> None:
        """Store a decision in the queue; the engine gives it its place in the settle log."""
        self._store.queue_review(human)
