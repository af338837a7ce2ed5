"""Criticise and rule: the critic objects, and answers what the reviser contests."""

from __future__ import annotations

from langgraph.runtime import Runtime

from symposia.contracts import Critic, NegotiateContext, UnusableAnswerError
from symposia.errors import GraphError
from symposia.records import Constitution, Critique, Objection, Rebuttal, Ruling, Turn
from symposia_graphs.nodes.calls import attributed, settles_failures, shown, tell
from symposia_graphs.routes import contested
from symposia_graphs.state import NegotiateState, record

__all__ = ["criticise", "rule"]


@settles_failures("criticise")
async def criticise(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Hold the last draft against the constitution.

    An objection whose principle is already under dispute for this draft is not counted a second time.
    """
    context = runtime.context
    critic, constitution = _bench(context)
    draft = state["drafts"][-1]
    so_far = record(state, "")
    verdicts = shown(so_far.verdicts_on(draft.round))
    turns: tuple[Turn, ...]
    try:
        with attributed("the critic"):
            critique, turns = await critic.criticise(
                draft, state["ticket"].task, constitution, verdicts, context.roles["critic"]
            )
    except UnusableAnswerError as exc:
        critique, turns = Critique(round=draft.round, unscored=exc.cause), (exc.turn,)
    critique = _numbered(critique, draft.round)
    disputed = {objection.principle for objection in so_far.open_objections(draft.round)}
    tell(state, context, turns)
    return {
        "turns": turns,
        "critiques": (critique,),
        "objections": tuple(o for o in critique.objections if o.principle not in disputed),
    }


@settles_failures("revise")
async def rule(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Let the critic withdraw or uphold what the reviser contests; what it does not answer is upheld."""
    context = runtime.context
    critic, constitution = _bench(context)
    pairs = contested(state)
    turns: tuple[Turn, ...]
    try:
        with attributed("the critic"):
            given, turns = await critic.rule(
                state["drafts"][-1], state["ticket"].task, constitution, pairs, context.roles["critic"]
            )
    except UnusableAnswerError as exc:
        given, turns = (), (exc.turn,)
    rulings = tuple(_ruling(rebuttal, given) for _, rebuttal in pairs)
    withdrawn = {ruling.objection for ruling in rulings if ruling.outcome == "withdrawn"}
    tell(state, context, turns)
    return {
        "turns": turns,
        "rulings": rulings,
        "objections": tuple(
            objection.model_copy(update={"status": "withdrawn"})
            for objection, _ in pairs
            if objection.id in withdrawn
        ),
    }


def _bench(context: NegotiateContext) -> tuple[Critic, Constitution]:
    if context.critic is None or context.constitution is None:
        raise GraphError(
            "a critic's node was reached without a critic and a constitution", "give both in the context"
        )
    return context.critic, context.constitution


def _numbered(critique: Critique, round_: int) -> Critique:
    """The critique with ids that are unique in the negotiation, whatever the critic called its objections."""
    objections: list[Objection] = [
        objection.model_copy(update={"id": f"r{round_}.{place}", "raised_in": round_, "status": "open"})
        for place, objection in enumerate(critique.objections)
    ]
    return critique.model_copy(update={"round": round_, "objections": tuple(objections)})


def _ruling(rebuttal: Rebuttal, given: tuple[Ruling, ...]) -> Ruling:
    found = next((ruling for ruling in given if ruling.objection == rebuttal.objection), None)
    if found is None:
        return Ruling(objection=rebuttal.objection, round=rebuttal.round, outcome="upheld", reason="no answer")
    return found.model_copy(update={"round": rebuttal.round})
