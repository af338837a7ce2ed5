"""One negotiation told while it happens, out of the events of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symposia.records import (
    Decision,
    Event,
    Negotiation,
    TaskSettled,
    TaskStarted,
    TurnTaken,
)
from symposia.report.text import shorten, wrap
from symposia.report.transcript import Line, decision_lines, judgment_lines, turn_lines, verdict_lines

__all__ = ["Conversation"]

_LONGEST_SEED = 600


class Conversation:
    """Follows one task at a time until one is accepted, telling every turn as soon as it is taken.

    Which task will be accepted can't be known before. So the lowest task that is open is followed; when it ends
    otherwise, the reason is told and the next one is followed from its first turn.

    Args:
        tell: Called with the lines to show.
        look_up: Gives the stored negotiation of a settled task, for its verdicts and judgments.
        seed_of: Gives the text that a source row is about; empty when there is none.
        width: Longest line, characters.
    """

    def __init__(
        self,
        tell: Callable[[Iterable[Line]], None],
        look_up: Callable[[int], Negotiation | None],
        seed_of: Callable[[str], str],
        width: int,
    ) -> None:
        self._tell = tell
        self._look_up = look_up
        self._seed_of = seed_of
        self._width = width
        self._followed: int | None = None
        self._waiting: dict[int, list[TaskStarted | TurnTaken]] = {}
        self._settled: dict[int, Decision] = {}
        self.is_over = False

    def hear(self, event: Event) -> None:
        """Take in what happened, and tell it when it is about the followed task."""
        if self.is_over:
            return
        if isinstance(event, (TaskStarted, TurnTaken)):
            self._waiting.setdefault(event.task, []).append(event)
        elif isinstance(event, TaskSettled):
            self._settled[event.task] = event.decision
        else:
            return
        while not self.is_over and self._advance():
            pass

    def _advance(self) -> bool:
        """Tell what is known of the followed task; True when another one is to be followed now."""
        if self._followed is None:
            if not self._waiting:
                return False
            self._followed = min(self._waiting)
        task = self._followed
        for event in self._waiting.get(task, ()):
            self._tell(self._lines(event))
        self._waiting[task] = []
        decision = self._settled.get(task)
        if decision is None:
            return False
        self._tell(self._ending(task, decision))
        del self._waiting[task]
        self._followed = None
        self.is_over = decision.outcome == "accepted"
        return True

    def _lines(self, event: TaskStarted | TurnTaken) -> Iterable[Line]:
        if isinstance(event, TaskStarted):
            about = " · ".join(part for part in (event.source_id, event.persona) if part)
            yield Line()
            yield Line(f"── task {event.task}{f' · {about}' if about else ''} ".ljust(self._width, "─"), "title")
            seed = self._seed_of(event.source_id) if event.source_id else ""
            for line in wrap(shorten(seed, _LONGEST_SEED), self._width, "    ") if seed else ():
                yield Line(line, "faint")
        else:
            yield from turn_lines(event.turn, event.draft, self._width)

    def _ending(self, task: int, decision: Decision) -> Iterable[Line]:
        negotiation = self._look_up(task)
        if negotiation is not None:
            last = negotiation.drafts[-1].round if negotiation.drafts else None
            final = last if negotiation.best_round is None else negotiation.best_round
            for draft in negotiation.drafts:
                found = negotiation.verdicts_on(draft.round)
                # Of a draft that did not stand only what was wrong with it is of interest.
                shown = found if draft.round == final else tuple(v for v in found if v.status != "pass")
                title = "checks" if last == 0 else f"checks of draft {draft.round}"
                yield from verdict_lines(shown, self._width, title)
            for judgment in negotiation.judgments:
                yield from judgment_lines(judgment, self._width)
        yield from decision_lines(decision, self._width)
