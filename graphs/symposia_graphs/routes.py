"""Where a negotiation goes next. Pure functions of its state and context; no model is asked.

`why_ended` is the rule by which an argument stops; ``first`` and ``after_*`` are edges of the graph. They spell
`langgraph.graph.END` out as ``__end__``, because only literals can be drawn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

from langgraph.runtime import Runtime

from symposia.contracts import NegotiateContext, SeatedVerifier
from symposia.records import Ending, NegotiationSpec, Objection, Rebuttal
from symposia_graphs.conclusion import ConcludeState, Entry
from symposia_graphs.ranking import Standing, best_round, clean, failed, is_duplicate, refuted, standing
from symposia_graphs.state import NegotiateState, record

__all__ = [
    "after_admit",
    "after_criticise",
    "after_propose",
    "after_review",
    "after_revise",
    "after_rule",
    "after_screen",
    "after_verify",
    "after_weigh",
    "contested",
    "costly",
    "entry",
    "first",
    "recursion_limit",
    "revisions",
    "steer",
    "why_ended",
]

P = ParamSpec("P")
R = TypeVar("R")

_STEPS_OF_A_DRAFT = 6  # propose or revise, rule, screen, verify, criticise, weigh
_STEPS_AROUND = 3  # start, judge, and one to spare: the limit is reached when a step would be its last


def recursion_limit(max_rounds: int, novelty_retries: int) -> int:
    """Most steps that a negotiation can take: every revision and every retry makes at most one more draft."""
    return _STEPS_OF_A_DRAFT * (1 + max_rounds + novelty_retries) + _STEPS_AROUND


def steer(route: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """A route as a coroutine function: langgraph hands every plain function to a thread, which costs more."""

    @wraps(route)
    async def steered(*args: P.args, **kwargs: P.kwargs) -> R:
        return route(*args, **kwargs)

    return steered


def why_ended(state: NegotiateState, settings: NegotiationSpec) -> Ending | None:
    """Why the argument stops after the last draft was heard, or None when it goes on.

    It stops when nothing is open, when ``max_rounds`` revisions were made, when the last round brought no gain
    (its draft is not better than the best was before), or when ``max_tokens`` are gone. A round is never cut in
    the middle, and the last draft is always criticised.
    """
    so_far = record(state, "")
    best = best_round(so_far)
    if best is None:
        return "near_duplicate"
    current = state["drafts"][-1].round
    if clean(so_far, best):
        return "settled"
    if revisions(state) >= settings.max_rounds:
        return "max_rounds"
    if current != best or not _gained(standing(so_far, best), state.get("peak")):
        return "no_gain"
    return "budget" if _spent(state, settings) else None


def contested(state: NegotiateState) -> tuple[tuple[Objection, Rebuttal], ...]:
    """What the reviser contested and the critic has not ruled on."""
    ruled = {(ruling.objection, ruling.round) for ruling in state["rulings"]}
    objections = {objection.id: objection for objection in state["objections"]}
    return tuple(
        (objections[rebuttal.objection], rebuttal)
        for rebuttal in state["rebuttals"]
        if rebuttal.action == "contest" and (rebuttal.objection, rebuttal.round) not in ruled
    )


def revisions(state: NegotiateState) -> int:
    """How often the reviser spoke."""
    return sum(turn.kind == "revise" for turn in state["turns"])


def _gained(now: Standing, before: Standing | None) -> bool:
    return before is None or now > before


def _spent(state: NegotiateState, settings: NegotiationSpec) -> bool:
    tokens = sum(turn.usage.tokens for turn in state["turns"])
    return settings.max_tokens is not None and tokens >= settings.max_tokens


def costly(context: NegotiateContext) -> tuple[SeatedVerifier, ...]:
    """The verifiers that run only after the cheap ones found nothing."""
    return tuple(seat for seat in context.verifiers if seat.verifier.cost == "costly")


def first(state: NegotiateState) -> Literal["propose", "revise"]:
    """A task that a person sent back brings its draft; every other one is proposed."""
    return "revise" if state["drafts"] else "propose"


def after_propose(
    state: NegotiateState, runtime: Runtime[NegotiateContext]
) -> Literal["screen", "judge", "__end__"]:
    """To the screen, unless the teacher gave nothing usable."""
    return _closing(state, runtime.context) if state.get("ending") else "screen"


def after_screen(
    state: NegotiateState, runtime: Runtime[NegotiateContext]
) -> Literal["propose", "verify", "criticise", "weigh"]:
    """A near duplicate goes back to the teacher; a draft that failed is weighed without paying for more."""
    context = runtime.context
    so_far = record(state, "")
    current = state["drafts"][-1].round
    if is_duplicate(so_far, current):
        tried = sum(not probe.novel for probe in state["probes"])
        return "propose" if tried <= context.novelty_retries and not _spent(state, context.settings) else "weigh"
    if failed(so_far, current):
        return "weigh"
    return "verify" if costly(context) else _to_critic(context)


def after_verify(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> Literal["criticise", "weigh"]:
    """To the critic, where there is one."""
    return _to_critic(runtime.context)


def _to_critic(context: NegotiateContext) -> Literal["criticise", "weigh"]:
    return "criticise" if context.critic is not None and context.constitution is not None else "weigh"


def after_criticise(state: NegotiateState) -> Literal["weigh", "__end__"]:
    """To the scales, unless the critic's request failed."""
    return "__end__" if state.get("ending") else "weigh"


def after_weigh(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> Literal["revise", "judge", "__end__"]:
    """Another round, or the panel."""
    return _closing(state, runtime.context) if state.get("ending") else "revise"


def after_revise(
    state: NegotiateState, runtime: Runtime[NegotiateContext]
) -> Literal["rule", "screen", "weigh", "judge", "__end__"]:
    """Contested objections go to the critic, a new draft goes to the screen, an unchanged one is weighed."""
    if state.get("ending"):
        return _closing(state, runtime.context)
    return "rule" if contested(state) else after_rule(state)


def after_rule(state: NegotiateState) -> Literal["screen", "weigh", "__end__"]:
    """A draft that was not weighed goes to the screen; one that stands as it was is weighed anew."""
    if state.get("ending"):
        return "__end__"
    return "weigh" if state["drafts"][-1].round == state.get("weighed") else "screen"


def _closing(state: NegotiateState, context: NegotiateContext) -> Literal["judge", "__end__"]:
    """A panel is asked only about a draft that it could let in.

    A required verdict that failed, or an open objection of severity major or above, rejects the draft whatever
    its score, and a rejected draft is seen by nobody: the judges' answers would be paid for nothing.
    """
    best = state.get("best_round")
    if not context.judges or best is None or state.get("failure") is not None:
        return "__end__"
    if state["ending"] == "near_duplicate" or refuted(record(state, ""), best):
        return "__end__"
    return "judge"


def entry(state: ConcludeState) -> Entry:
    """What is sure to be rejected is settled at once; what was parked before goes on where it was."""
    return state["entry"]


def after_admit(state: ConcludeState) -> Literal["review", "settle"]:
    """To a person, when one was picked to see the sample and it is new."""
    waits = state["blocking"] and state["pick"] is not None
    return "review" if waits and state["assessment"]["outcome"] != "reject" else "settle"


def after_review(state: ConcludeState) -> Literal["amend", "settle"]:
    """An edit is checked anew."""
    human = state["human"]
    return "amend" if human is not None and human["action"] == "edit" else "settle"
