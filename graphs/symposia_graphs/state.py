"""The state of a negotiation: what was said and found so far, one channel for each kind of record.

Nodes return only what they add. How an addition joins what is there is the business of the reducers.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, TypeVar

from symposia.records import (
    Critique,
    Draft,
    Ending,
    Failure,
    Judgment,
    Negotiation,
    NoveltyVerdict,
    Objection,
    Rebuttal,
    Ruling,
    Task,
    Ticket,
    Turn,
    Verdict,
)
from symposia_graphs.ranking import Standing

__all__ = ["NegotiateState", "appended", "opening", "record", "restated"]

T = TypeVar("T")

HUMAN_PRINCIPLE = "human"
"""Principle of a person's objection that names none."""


def appended(there: tuple[T, ...], more: tuple[T, ...]) -> tuple[T, ...]:
    """What is there, then what is new."""
    return (*there, *more)


def restated(there: tuple[Objection, ...], more: tuple[Objection, ...]) -> tuple[Objection, ...]:
    """Objections by id: one that is known takes its new form in its old place, an unknown one comes last."""
    known = {objection.id: objection for objection in there}
    known.update({objection.id: objection for objection in more})
    return tuple(known.values())


class NegotiateState(TypedDict, total=False):
    """What the nodes of a negotiation share.

    Attributes:
        ticket: The task as it was drawn.
        turns: What the roles said, in order.
        drafts: All drafts; the last one is under discussion.
        critiques: The critic's findings.
        objections: All objections with their present status.
        rebuttals: The reviser's answers.
        rulings: The critic's answers to contested objections.
        verdicts: Of all verifiers on all drafts.
        probes: What the novelty probe said.
        judgments: Of the panel.
        weighed: Round of the draft that was weighed last.
        peak: How good the best draft was then.
        best_round: Round of the best draft so far.
        ending: Why the argument stopped; None while it goes on.
        failure: Why the negotiation could not go on.
    """

    ticket: Ticket
    turns: Annotated[tuple[Turn, ...], appended]
    drafts: Annotated[tuple[Draft, ...], appended]
    critiques: Annotated[tuple[Critique, ...], appended]
    objections: Annotated[tuple[Objection, ...], restated]
    rebuttals: Annotated[tuple[Rebuttal, ...], appended]
    rulings: Annotated[tuple[Ruling, ...], appended]
    verdicts: Annotated[tuple[Verdict, ...], appended]
    probes: Annotated[tuple[NoveltyVerdict, ...], appended]
    judgments: Annotated[tuple[Judgment, ...], appended]
    weighed: int | None
    peak: Standing | None
    best_round: int | None
    ending: Ending | None
    failure: Failure | None


def opening(ticket: Ticket) -> NegotiateState:
    """The state in which a negotiation starts.

    A task that a person sent back (``parameters["sent_back"]``) starts from the draft they saw, with their
    objection open against it.
    """
    draft, objection = _sent_back(ticket.task)
    return {
        "ticket": ticket,
        "turns": (),
        "drafts": draft,
        "critiques": (),
        "objections": objection,
        "rebuttals": (),
        "rulings": (),
        "verdicts": (),
        "probes": (),
        "judgments": (),
        "weighed": None,
        "peak": None,
        "best_round": None,
        "ending": None,
        "failure": None,
    }


def _sent_back(task: Task) -> tuple[tuple[Draft, ...], tuple[Objection, ...]]:
    given: Any = task.parameters.get("sent_back")
    if not isinstance(given, dict):
        return (), ()
    reasons = given.get("reasons") or [HUMAN_PRINCIPLE]
    draft = Draft(round=0, author=f"task:{given['task']}", payload=given["payload"])
    objection = Objection(
        id="h0.0",
        principle=str(reasons[0]),
        severity="major",
        reason=str(given["objection"]),
        raised_by=f"human:{given.get('reviewer', 'unknown')}",
    )
    return (draft,), (objection,)


def record(state: NegotiateState, graph: str) -> Negotiation:
    """The negotiation as far as it went. Before it ended, its ``ending`` means nothing."""
    return Negotiation(
        ticket=state["ticket"],
        graph=graph,
        turns=state["turns"],
        drafts=state["drafts"],
        critiques=state["critiques"],
        objections=state["objections"],
        rebuttals=state["rebuttals"],
        rulings=state["rulings"],
        verdicts=state["verdicts"],
        probes=state["probes"],
        judgments=state["judgments"],
        best_round=state.get("best_round"),
        ending=state.get("ending") or "settled",
        failure=state.get("failure"),
    )
