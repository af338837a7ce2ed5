"""Propose: the teacher drafts."""

from __future__ import annotations

from langgraph.runtime import Runtime

from symposia.contracts import Ask, NegotiateContext, UnusableAnswerError
from symposia.records import Draft, Failure, Neighbour, NoveltyVerdict, Objection, Rebuttal
from symposia_graphs.method import Method
from symposia_graphs.nodes.calls import NegotiateNode, payload_of, settles_failures, tell
from symposia_graphs.ranking import best_round
from symposia_graphs.state import NegotiateState, record

__all__ = ["propose"]

MOST_NEIGHBOURS = 5
"""Near duplicates that are named to the teacher."""


def propose(method: Method) -> NegotiateNode:
    """The node in which the teacher drafts, in the words of a method.

    When earlier drafts were near duplicates, their neighbours are named. The new draft starts a new argument: what
    the critic had against an earlier one is closed for it; what a person had against it stays open.
    """

    @settles_failures("propose")
    async def propose(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
        context = runtime.context
        task = state["ticket"].task
        round_ = len(state["drafts"])
        ask = Ask(
            task=task.number,
            round=round_,
            kind="propose",
            messages=method.proposal(task, _neighbours(state["probes"])),
            schema=method.schema(task),
        )
        try:
            answer = await context.roles["teacher"].ask(ask)
        except UnusableAnswerError as exc:
            tell(state, context, (exc.turn,))
            return _unusable(state, exc)
        draft = Draft(round=round_, author="teacher", payload=payload_of(answer.value))
        context.on_turn(task.number, answer.turn, draft)
        objections, rebuttals = _closed(state, round_)
        return {"turns": (answer.turn,), "drafts": (draft,), "objections": objections, "rebuttals": rebuttals}

    return propose


def _neighbours(probes: tuple[NoveltyVerdict, ...]) -> list[Neighbour]:
    """The nearest of each near duplicate's neighbours, the latest first, each once."""
    found: dict[str, Neighbour] = {}
    for probe in reversed(probes):
        if not probe.novel:
            for neighbour in probe.neighbours:
                found.setdefault(neighbour.id, neighbour)
    return list(found.values())[:MOST_NEIGHBOURS]


def _unusable(state: NegotiateState, exc: UnusableAnswerError) -> NegotiateState:
    if state["drafts"] and best_round(record(state, "")) is not None:
        return {"turns": (exc.turn,), "ending": "no_gain"}
    failure = Failure(stage="propose", cause=exc.cause, detail=exc.message)
    return {"turns": (exc.turn,), "ending": "unusable", "failure": failure}


def _closed(state: NegotiateState, round_: int) -> tuple[tuple[Objection, ...], tuple[Rebuttal, ...]]:
    if round_ == 0:
        return (), ()
    before = record(state, "").open_objections(round_ - 1)
    ours = [objection for objection in before if not objection.raised_by.startswith("human:")]
    return (
        tuple(objection.model_copy(update={"status": "fixed"}) for objection in ours),
        tuple(
            Rebuttal(objection=o.id, round=round_, action="fix", argument="the teacher drafted anew") for o in ours
        ),
    )
