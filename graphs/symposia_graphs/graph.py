"""The negotiation graph: argue (`negotiation`), then decide (`conclusion_graph`)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, StateSnapshot

from symposia.contracts import ConcludeContext, Conclusion, NegotiateContext, ReviewPick, Schema
from symposia.errors import UsageError
from symposia.judging.acceptance import assess
from symposia.records import HumanDecision, JsonObject, Message, Negotiation, Task, Ticket, content_hash
from symposia.review.policy import pick
from symposia_graphs import conclusion, nodes, routes, state
from symposia_graphs.conclusion import FORMAT, ConcludeState
from symposia_graphs.method import Method
from symposia_graphs.nodes.amend import edited
from symposia_graphs.parking import Parking
from symposia_graphs.state import NegotiateState
from symposia_graphs.tracing import traced_only_if_asked

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

    Concluding = CompiledStateGraph[ConcludeState, ConcludeContext, ConcludeState, ConcludeState]

__all__ = ["VERSION", "NegotiationGraph", "conclusion_graph", "negotiation_graph"]

VERSION = "1"
"""Changes whenever the graph itself decides differently."""

_CONCLUDE_STEPS = 8
"""More than admit, review, amend and settle take together."""


def negotiation_graph(
    method: Method,
) -> StateGraph[NegotiateState, NegotiateContext, NegotiateState, NegotiateState]:
    """The graph of steps 1-7, not compiled, so that a method can put steps of its own in."""
    graph: StateGraph[NegotiateState, NegotiateContext, NegotiateState, NegotiateState]
    graph = StateGraph(NegotiateState, context_schema=NegotiateContext)
    graph.add_node("propose", nodes.propose(method))
    graph.add_node("screen", nodes.screen)
    graph.add_node("verify", nodes.verify)
    graph.add_node("criticise", nodes.criticise)
    graph.add_node("weigh", nodes.weigh)
    graph.add_node("revise", nodes.revise(method))
    graph.add_node("rule", nodes.rule)
    graph.add_node("judge", nodes.judge)
    graph.add_conditional_edges(START, routes.steer(routes.first))
    graph.add_conditional_edges("propose", routes.steer(routes.after_propose))
    graph.add_conditional_edges("screen", routes.steer(routes.after_screen))
    graph.add_conditional_edges("verify", routes.steer(routes.after_verify))
    graph.add_conditional_edges("criticise", routes.steer(routes.after_criticise))
    graph.add_conditional_edges("weigh", routes.steer(routes.after_weigh))
    graph.add_conditional_edges("revise", routes.steer(routes.after_revise))
    graph.add_conditional_edges("rule", routes.steer(routes.after_rule))
    graph.add_edge("judge", END)
    return graph


def conclusion_graph(
    method: Method,
) -> StateGraph[ConcludeState, ConcludeContext, ConcludeState, ConcludeState]:
    """The graph of steps 8-10, not compiled. To park samples it must be compiled with a checkpointer."""
    graph: StateGraph[ConcludeState, ConcludeContext, ConcludeState, ConcludeState]
    graph = StateGraph(ConcludeState, context_schema=ConcludeContext)
    graph.add_node("admit", nodes.admit)
    graph.add_node("review", nodes.review)
    graph.add_node("amend", nodes.amend(method))
    graph.add_node("settle", nodes.settle)
    graph.add_conditional_edges(START, routes.steer(routes.entry))
    graph.add_conditional_edges("admit", routes.steer(routes.after_admit))
    graph.add_conditional_edges("review", routes.steer(routes.after_review))
    graph.add_edge("amend", "settle")
    graph.add_edge("settle", END)
    return graph


class NegotiationGraph:
    """A method, argued about in the negotiation graph; implements `symposia.contracts.Graph`.

    Args:
        method: What is drafted.
        folder: The run's folder, where parked threads are kept; None keeps them in memory.
    """

    def __init__(self, method: Method, folder: Path | None = None) -> None:
        self._method = method
        self._negotiate = negotiation_graph(method).compile()
        self._conclude = conclusion_graph(method).compile()
        self._parking = Parking(folder)
        self._waiting: Concluding | None = None

    @property
    def name(self) -> str:
        """Name of the graph."""
        return self._method.name

    @property
    def fingerprint(self) -> str:
        """Hash of the method and of the graph's version."""
        return content_hash([VERSION, self._method.fingerprint])

    def draft_schema(self, task: Task) -> Schema:
        """The form of a draft for this task."""
        return self._method.schema(task)

    def messages(self, task: Task, payload: JsonObject) -> tuple[Message, ...]:
        """The chat view of an accepted payload."""
        return self._method.chat(task, payload)

    def draw(self) -> dict[str, str]:
        """Both graphs as Mermaid text: ``negotiate`` and ``conclude``."""
        return {
            "negotiate": self._negotiate.get_graph().draw_mermaid(),
            "conclude": self._conclude.get_graph().draw_mermaid(),
        }

    async def negotiate(self, ticket: Ticket, context: NegotiateContext) -> Negotiation:
        """Propose, screen, verify, criticise, revise and judge; see `symposia.contracts.Graph`."""
        limit = routes.recursion_limit(context.settings.max_rounds, context.novelty_retries)
        config: RunnableConfig = {"recursion_limit": limit}
        with traced_only_if_asked():
            final = await self._negotiate.ainvoke(state.opening(ticket), config, context=context)
        return state.record(cast(NegotiateState, final), self.name)

    async def conclude(self, negotiation: Negotiation, context: ConcludeContext) -> Conclusion:
        """Admit, pick for review, park or settle; see `symposia.contracts.Graph`."""
        opening = self._opening(negotiation, context)
        if opening["pick"] is None or not opening["blocking"]:
            return await self._settled(opening, context)
        parked = await self._park(opening, context)
        if parked["decision"] is not None:
            await self._forget(negotiation.number)
        return _conclusion(parked)

    async def resume(self, parked: Negotiation, human: HumanDecision, context: ConcludeContext) -> Conclusion:
        """Go on with a parked sample; see `symposia.contracts.Graph`.

        Raises:
            UsageError: The decision is about another draft than the parked one, its edit is no draft, or the
                sample was decided otherwise before. The sample stays as it was.
        """
        self._check(parked, human)
        thread = await self._thread(parked, human)
        if thread is None:
            opening = self._opening(parked, context, human)
            await self._park(opening, context)
        app, config = await self._parkable(parked.number)
        command: Command[Any] = Command(resume=human.model_dump(mode="json"))
        with traced_only_if_asked(), self._parking.writing():
            final = await app.ainvoke(command, config, context=context, durability="exit")
        return _conclusion(cast(ConcludeState, final))

    async def close(self) -> None:
        """Close the checkpoint file; may be called twice."""
        await self._parking.close()

    def _opening(
        self, negotiation: Negotiation, context: ConcludeContext, human: HumanDecision | None = None
    ) -> ConcludeState:
        assessment = assess(negotiation, context.settings)
        picked = pick(context.review, assessment, negotiation, context.run_seed)
        if human is not None:
            picked = ReviewPick(human.policy, human.selection_probability)
        return conclusion.opening(
            negotiation,
            assessment,
            picked,
            blocking=context.review.blocking or human is not None,
            parked=human is not None,
        )

    async def _settled(self, opening: ConcludeState, context: ConcludeContext) -> Conclusion:
        with traced_only_if_asked():
            final = await self._conclude.ainvoke(opening, {"recursion_limit": _CONCLUDE_STEPS}, context=context)
        return _conclusion(cast(ConcludeState, final))

    async def _park(self, opening: ConcludeState, context: ConcludeContext) -> ConcludeState:
        """Run on a fresh thread until it waits for a person, or to its end."""
        number = conclusion.negotiation_of(opening).number
        await self._forget(number)
        app, config = await self._parkable(number)
        with traced_only_if_asked(), self._parking.writing():
            final = await app.ainvoke(opening, config, context=context, durability="exit")
        final.pop("__interrupt__", None)
        return cast(ConcludeState, final)

    async def _parkable(self, number: int) -> tuple[Concluding, RunnableConfig]:
        saver = await self._parking.saver()
        if self._waiting is None or self._waiting.checkpointer is not saver:
            self._waiting = conclusion_graph(self._method).compile(checkpointer=saver)
        return self._waiting, {"recursion_limit": _CONCLUDE_STEPS, "configurable": {"thread_id": str(number)}}

    async def _forget(self, number: int) -> None:
        saver = await self._parking.saver()
        with self._parking.writing():
            await saver.adelete_thread(str(number))

    def _check(self, parked: Negotiation, human: HumanDecision) -> None:
        best = parked.best
        if human.task != parked.number:
            raise UsageError(f"a decision about task {human.task} was given for task {parked.number}")
        if best is None or human.content_hash != best.hash:
            raise UsageError(
                f"task {human.task}: the decision of {human.reviewer} is about another draft than the parked one",
                "look at the sample again and decide anew",
            )
        if human.action == "edit":
            edited(self._method, parked, human)

    async def _thread(self, parked: Negotiation, human: HumanDecision) -> StateSnapshot | None:
        """The parked thread; None when it must be rebuilt from the stored negotiation."""
        try:
            app, config = await self._parkable(parked.number)
            snapshot = await app.aget_state(config)
            values = cast(ConcludeState, snapshot.values)
            if values.get("format") != FORMAT or conclusion.negotiation_of(values).best != parked.best:
                return None
            decided = conclusion.human_of(values)
        except sqlite3.DatabaseError:
            await self._parking.set_aside()
            return None
        except Exception:
            # Whatever makes a checkpoint unreadable, the stored negotiation has all that it held.
            return None
        if snapshot.next == ("review",) and snapshot.interrupts:
            return snapshot
        if decided is not None and decided != human:
            raise UsageError(
                f"task {human.task} was decided before by {decided.reviewer}: {decided.action}",
                "nothing that is decided is reopened",
            )
        return None


def _conclusion(final: ConcludeState) -> Conclusion:
    return Conclusion(conclusion.decision_of(final), conclusion.negotiation_of(final))
