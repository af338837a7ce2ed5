"""Judge: a panel scores the draft that survived."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from symposia.contracts import NegotiateContext, SeatedJudge, UnusableAnswerError
from symposia.errors import GraphError
from symposia.records import Draft, Judgment, Task, Turn, Verdict
from symposia_graphs.nodes.calls import attributed, settles_failures, shown, tell, together
from symposia_graphs.state import NegotiateState, record

__all__ = ["judge"]


@settles_failures("judge")
async def judge(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
    """Ask all judges about the best draft, at the same time; what can't be read is unscored."""
    context = runtime.context
    so_far = record(state, "")
    draft = so_far.best
    if draft is None:
        raise GraphError("the panel was asked before a draft survived", "weigh the drafts first")
    verdicts = shown(so_far.verdicts_on(draft.round))
    task = state["ticket"].task
    heard = await together(_score(seat, draft, task, verdicts) for seat in context.judges)
    turns = tuple(turn for _, spoken in heard for turn in spoken)
    tell(state, context, turns)
    return {"judgments": tuple(judgment for judgment, _ in heard), "turns": turns}


async def _score(
    seat: SeatedJudge, draft: Draft, task: Task, verdicts: Sequence[Verdict]
) -> tuple[Judgment, tuple[Turn, ...]]:
    turns: tuple[Turn, ...]
    try:
        with attributed(f"judge '{seat.name}'"):
            judgment, turns = await seat.judge.judge(draft, task, verdicts, seat.model)
    except UnusableAnswerError as exc:
        judgment, turns = Judgment(judge=seat.name, model=seat.model.model, unscored=exc.cause), (exc.turn,)
    place = {
        "judge": seat.name,
        "round": draft.round,
        "independent": seat.independent,
        "trusted": seat.trusted,
    }
    return judgment.model_copy(update=place), turns
