"""The full record of one task: every turn, draft, objection, verdict and judgment."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from symposia.records.base import JsonValue, Record
from symposia.records.critique import SEVERITY_WEIGHT, Critique, Objection, Rebuttal, Ruling
from symposia.records.decision import Stage
from symposia.records.draft import Draft
from symposia.records.judgment import Judgment
from symposia.records.task import Ticket
from symposia.records.usage import Usage
from symposia.records.verdict import Verdict

__all__ = ["Ending", "Failure", "Negotiation", "Neighbour", "NoveltyVerdict", "RepairStep", "Turn", "TurnKind"]

Ending = Literal["settled", "max_rounds", "no_gain", "budget", "near_duplicate", "unusable", "failed"]
TurnKind = Literal["propose", "criticise", "revise", "rule", "judge", "check"]
RepairAction = Literal["constrain", "mend", "ask_again", "smaller_schema"]


class RepairStep(Record):
    """One rung of the repair ladder that a structured answer needed.

    Attributes:
        action: What was tried.
        ok: Whether it gave a valid answer.
        error: What was wrong before or after; empty when ``ok``.
        key: Ledger key of the request, where the step made one.
        note: What the backend could not do and was done in another way; empty when nothing was.
    """

    action: RepairAction
    ok: bool
    error: str = ""
    key: str | None = None
    note: str = ""


class Turn(Record):
    """One thing that a role said.

    Attributes:
        round: Round of the negotiation.
        role: teacher, critic, reviser, or ``judge:<name>``.
        kind: What the turn was for.
        model: Logical name of the model (backend and model).
        text: The reply as it came, last attempt.
        value: The parsed reply, where one was asked for in a schema; None when it could not be read.
        finish_reason: Why the model stopped (``stop``, ``length``, …).
        keys: Ledger keys of all requests of the turn, in order.
        repairs: The rungs of the repair ladder, in order; one successful ``constrain`` is the plain case.
        usage: Tokens and money of all requests of the turn.
    """

    round: int = Field(ge=0)
    role: str
    kind: TurnKind
    model: str
    text: str
    value: JsonValue = None
    finish_reason: str = "stop"
    keys: tuple[str, ...] = ()
    repairs: tuple[RepairStep, ...] = ()
    usage: Usage = Usage()


class Neighbour(Record):
    """Something already admitted that is near to a draft."""

    id: str
    text: str
    similarity: float


class NoveltyVerdict(Record):
    """What a novelty check said about one draft.

    Attributes:
        check: Name of the check.
        novel: Whether the draft is far enough from everything admitted.
        threshold: Similarity at or above which a draft counts as a near duplicate.
        similarity: Highest similarity found; 0 when nothing was there.
        neighbours: The nearest admitted texts, nearest first.
        round: Round of the draft.
    """

    check: str
    novel: bool
    threshold: float
    similarity: float = 0.0
    neighbours: tuple[Neighbour, ...] = ()
    round: int = Field(default=0, ge=0)


class Failure(Record):
    """Why a negotiation could not go on."""

    stage: Stage
    cause: str
    detail: str = ""


class Negotiation(Record):
    """Everything that was said and found about one task.

    Attributes:
        ticket: The task as it was drawn.
        graph: Name of the graph that ran.
        turns: What the roles said, in order.
        drafts: One for each round that brought one.
        critiques: The critic's findings, one for each criticised draft.
        objections: All objections with their last status.
        rebuttals: The reviser's answers.
        rulings: The critic's answers to contested objections.
        verdicts: Of all verifiers on all drafts.
        probes: What the novelty probe said, round by round.
        judgments: Of the panel on the surviving draft.
        best_round: Round of the draft that survived, or None when none was made.
        ending: Why the argument stopped: nothing is open (``settled``), ``max_rounds`` are over, a round brought
            ``no_gain``, the ``budget`` is gone, the teacher kept drafting a ``near_duplicate``, its answer was
            ``unusable``, or a request ``failed``.
        failure: Set when ``ending`` is ``failed`` or ``unusable``.
    """

    ticket: Ticket
    graph: str
    turns: tuple[Turn, ...] = ()
    drafts: tuple[Draft, ...] = ()
    critiques: tuple[Critique, ...] = ()
    objections: tuple[Objection, ...] = ()
    rebuttals: tuple[Rebuttal, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    probes: tuple[NoveltyVerdict, ...] = ()
    judgments: tuple[Judgment, ...] = ()
    best_round: int | None = None
    ending: Ending
    failure: Failure | None = None

    @property
    def number(self) -> int:
        """The task's number."""
        return self.ticket.task.number

    @cached_property
    def best(self) -> Draft | None:
        """The surviving draft."""
        return next((draft for draft in self.drafts if draft.round == self.best_round), None)

    @cached_property
    def usage(self) -> Usage:
        """Tokens and money of all turns."""
        total = Usage()
        for turn in self.turns:
            total = total + turn.usage
        return total

    def verdicts_on(self, round_: int | None) -> tuple[Verdict, ...]:
        """The verdicts on the draft of one round."""
        return tuple(verdict for verdict in self.verdicts if verdict.round == round_)

    def open_objections(self, round_: int | None) -> tuple[Objection, ...]:
        """Objections that still stand against the draft of one round.

        An objection stands against its own draft and, until it is fixed or withdrawn, against later ones; a
        withdrawn objection stands against none.
        """
        if round_ is None:
            return ()
        fixed_in = {r.objection: r.round for r in self.rebuttals if r.action == "fix"}
        standing = []
        for objection in self.objections:
            if objection.status == "withdrawn" or objection.raised_in > round_:
                continue
            if objection.status == "fixed" and fixed_in.get(objection.id, round_ + 1) <= round_:
                continue
            standing.append(objection)
        return tuple(standing)

    def severity(self, round_: int | None) -> int:
        """Severity-weighted sum of the objections that stand against one round's draft."""
        return sum(SEVERITY_WEIGHT[objection.severity] for objection in self.open_objections(round_))
