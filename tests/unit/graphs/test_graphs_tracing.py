"""Nothing leaves the machine because of a variable that was set for another program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import langsmith.utils
import pytest
from langchain_core.tracers import langchain as tracer

from support.negotiations import draft_of, human_says, table, ticket
from symposia.contracts import Ask, ConcludeContext
from symposia.records import NegotiationSpec, ReviewSpec
from symposia_graphs import InstructionParams
from symposia_graphs.graph import NegotiationGraph
from symposia_graphs.instructions import instruction_method
from symposia_graphs.tracing import TRACING_ENV, traced_only_if_asked


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    cached: Any = langsmith.utils.get_env_var
    cached.cache_clear()
    yield
    cached.cache_clear()


async def test_tracing_stays_off_in_every_step(
    switched_on: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("a tracer was made")

    monkeypatch.setattr(tracer.LangChainTracer, "__init__", made)
    seen: list[bool] = []

    def draft(ask: Ask) -> Any:
        seen.append(bool(langsmith.utils.tracing_is_enabled()))
        return draft_of("fine")

    graph = NegotiationGraph(instruction_method(InstructionParams()), tmp_path)
    negotiation = await graph.negotiate(ticket(), table(draft))
    context = ConcludeContext(settings=NegotiationSpec(min_evidence=0), review=ReviewSpec(policy="all"))
    parked = await graph.conclude(negotiation, context)
    assert negotiation.best is not None and parked.decision.outcome == "parked"
    done = await graph.resume(parked.negotiation, human_says("accept", negotiation.best), context)
    assert done.decision.outcome == "accepted" and seen == [False]
    await graph.close()


def test_whoever_asks_by_name_gets_it(switched_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert langsmith.utils.tracing_is_enabled()
    with traced_only_if_asked():
        assert not langsmith.utils.tracing_is_enabled()
    monkeypatch.setenv(TRACING_ENV, "langsmith")
    with traced_only_if_asked():
        assert langsmith.utils.tracing_is_enabled()
