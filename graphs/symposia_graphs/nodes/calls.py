"""What several nodes need when they call a part: order, attribution, and failures that settle a task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Protocol, TypeVar

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from symposia.contracts import ConcludeContext, NegotiateContext
from symposia.errors import GraphError, PluginError, RequestError, SymposiaError
from symposia.records import Failure, JsonObject, JsonValue, Stage, Turn, Verdict
from symposia_graphs.conclusion import ConcludeState
from symposia_graphs.state import NegotiateState

__all__ = [
    "ConcludeNode",
    "NegotiateNode",
    "attributed",
    "payload_of",
    "settles_failures",
    "shown",
    "tell",
    "together",
]

T = TypeVar("T")


class NegotiateNode(Protocol):
    """A step of a negotiation."""

    async def __call__(self, state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
        """From the state to what the step adds."""


class ConcludeNode(Protocol):
    """A step of a conclusion."""

    async def __call__(self, state: ConcludeState, runtime: Runtime[ConcludeContext]) -> ConcludeState:
        """From the state to what the step changes."""


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Results of calls that run at the same time, in the order of the calls.

    When some fail, the others are still waited for, and the first failure in the order of the calls is raised, so
    that timing decides nothing. One that leaves the task open goes before one that settles it.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, RequestError))
    return [result for result in results if not isinstance(result, BaseException)]


@contextmanager
def attributed(what: str) -> Iterator[None]:
    """Name the part in whatever it raises; Symposia's own errors and langgraph's signals pass unchanged."""
    try:
        yield
    except (SymposiaError, GraphBubbleUp):
        raise
    except Exception as exc:
        raise PluginError(f"{what} broke: {type(exc).__name__}: {exc}", "report it to whoever wrote it") from exc


def settles_failures(stage: Stage) -> Callable[[NegotiateNode], NegotiateNode]:
    """Make a node end the negotiation as failed when a request of it can't be answered."""

    def wrap(node: NegotiateNode) -> NegotiateNode:
        @wraps(node)
        async def settling(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
            try:
                return await node(state, runtime)
            except RequestError as exc:
                return {"ending": "failed", "failure": Failure(stage=stage, cause=exc.cause, detail=exc.message)}

        return settling

    return wrap


def tell(state: NegotiateState, context: NegotiateContext, turns: Iterable[Turn]) -> None:
    """Let listeners hear turns that brought no draft."""
    for turn in turns:
        context.on_turn(state["ticket"].task.number, turn, None)


def shown(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts as a model may see them: without what is private in their evidence."""
    return tuple(
        verdict.model_copy(update={"evidence": verdict.evidence.model_copy(update={"private": {}})})
        if verdict.evidence.private
        else verdict
        for verdict in verdicts
    )


def payload_of(value: JsonValue) -> JsonObject:
    """The payload that a schema read.

    Raises:
        GraphError: The draft schema reads something else than an object.
    """
    if not isinstance(value, dict):
        raise GraphError(f"a draft must be an object, not {type(value).__name__}", "mend the method's draft schema")
    return value
