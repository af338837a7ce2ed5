"""Our graphs keep the rules that every graph keeps; a graph that breaks one is found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.negotiations import draft_of, ticket
from symposia.contracts import Conclusion
from symposia.records import JsonObject, Message, Task
from symposia.testing.conformance.graph import check_graph
from symposia_graphs import InstructionParams, QaParams
from symposia_graphs.graph import NegotiationGraph
from symposia_graphs.instructions import instruction_method
from symposia_graphs.qa import SHOTS, qa_method


@pytest.mark.parametrize("quote", ["free", "choose"])
async def test_qa_keeps_the_rules(tmp_path: Path, quote: str) -> None:
    method = qa_method(QaParams.model_validate({"quote": quote}))
    shot = SHOTS[0]
    await check_graph(
        lambda: NegotiationGraph(method, tmp_path),
        drafts=lambda ask: shot.payload,
        ticket=ticket(5, seed=dict(shot.values)),
    )


@pytest.mark.parametrize("in_memory", [True, False])
async def test_negotiate_keeps_the_rules(tmp_path: Path, in_memory: bool) -> None:
    method = instruction_method(InstructionParams())
    await check_graph(
        lambda: NegotiationGraph(method, None if in_memory else tmp_path),
        drafts=lambda ask: draft_of("A good answer."),
        ticket=ticket(5),
    )


class Hasty(NegotiationGraph):
    """Lets a person decide about what they did not see."""

    async def resume(self, parked: Any, human: Any, context: Any) -> Conclusion:
        seen = human.model_copy(update={"content_hash": parked.best.hash, "task": parked.number})
        return await super().resume(parked, seen, context)


class Silent(NegotiationGraph):
    """Has a chat view in which nobody answers."""

    def messages(self, task: Task, payload: JsonObject) -> tuple[Message, ...]:
        return super().messages(task, payload)[:1]


@pytest.mark.parametrize(
    ("kind", "rule"), [(Hasty, "something else than the parked draft"), (Silent, "ends with the assistant")]
)
async def test_a_broken_rule_is_named(kind: type[NegotiationGraph], rule: str) -> None:
    method = instruction_method(InstructionParams())
    with pytest.raises(AssertionError, match=rule):
        await check_graph(lambda: kind(method), drafts=lambda ask: draft_of("A good answer."), ticket=ticket())
