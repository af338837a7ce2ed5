"""The scheduler: keeps negotiations in flight and settles them in task order.

What it decides by time is only how far it runs ahead; that changes cost, never content. Task *i* starts when task
*i - W* has settled and sees the settle log as of then; decisions fall in task order; the run ends at the task at
which accepted and parked samples together are as many as asked for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from symposia.contracts import Graph, NegotiateContext
from symposia.engine.plan import Plan
from symposia.engine.result import Rest, StopSignal
from symposia.engine.settling import Settler
from symposia.errors import CapExceededError, EndpointError
from symposia.records import Event, Negotiation, Recipe, TaskStarted, Ticket
from symposia.store import RunStore

__all__ = ["Scheduler", "candidate_cap"]

_REVIEW_POLL_S = 1.0
"""How often the review queue is looked at while negotiations are under way, seconds."""


def candidate_cap(recipe: Recipe) -> int:
    """Most tasks of the run: the recipe's cap, else twenty candidates a sample and at least a hundred."""
    return recipe.limits.max_candidates or max(100, 20 * recipe.samples)


class Scheduler:
    """Runs one recipe until it rests.

    Args:
        recipe: The recipe to run, with its frozen window.
        plan: Draws tickets.
        graph: The graph.
        context: What negotiations work with.
        settler: Settles them.
        store: The run's store.
        stop: How the run is asked to stop.
        emit: Tells what happened.
    """

    def __init__(
        self,
        recipe: Recipe,
        plan: Plan,
        graph: Graph,
        context: NegotiateContext,
        settler: Settler,
        store: RunStore,
        stop: StopSignal,
        emit: Callable[[Event], None],
    ) -> None:
        self._recipe = recipe
        self._plan = plan
        self._graph = graph
        self._context = context
        self._settler = settler
        self._store = store
        self._stop = stop
        self._emit = emit
        self._window = recipe.limits.window or 1
        self._cap = candidate_cap(recipe)
        self._next = settler.next_task
        self._running: dict[int, asyncio.Task[None]] = {}
        self._finished: dict[int, Negotiation] = {}
        self._news: asyncio.Queue[tuple[int, Negotiation | BaseException]] = asyncio.Queue()
        self._awake = asyncio.Event()
        self._review_due = 0.0
        self._rest: Rest | None = None
        self._crash: BaseException | None = None
        seconds = recipe.limits.max_seconds
        self._deadline = time.monotonic() + seconds if seconds else math.inf

    async def run(self) -> Rest:
        """Negotiate and settle until the run rests.

        Raises:
            SymposiaError: Something broke that is no property of a task; what was settled is kept.
        """
        self._stop.watch(self._awake)
        self._store.clear_surplus()
        await self._apply_reviews()
        try:
            while True:
                await self._settle_ready()
                if self._crash is not None:
                    raise self._crash
                if self._enough() or self._must_halt():
                    break
                self._start()
                if not self._running and not self._finished:
                    break
                await self._wait()
        finally:
            under_way = sorted({*self._running, *self._finished})
            await self._cancel()
        if self._enough():
            self._store.put_surplus([number for number in under_way if number >= self._settler.next_task])
        return self._how_it_rests()

    # -- starting -------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._rest is not None or self._stop.asked:
            return
        while len(self._running) < self._recipe.limits.in_flight and self._may_start(self._next):
            number = self._next
            self._next += 1
            ticket = self._plan.ticket(number, self._settler.logs.get(number - self._window, 0))
            persona = ticket.task.persona
            self._emit(
                TaskStarted(task=number, persona=persona.id if persona else None, source_id=ticket.task.source_id)
            )
            self._running[number] = asyncio.create_task(self._negotiate(number, ticket))

    def _may_start(self, number: int) -> bool:
        ahead = number - self._settler.next_task
        return number < self._cap and ahead < self._window and ahead < self._worthwhile()

    def _worthwhile(self) -> int:
        """How many tasks are worth having under way: what the acceptance rate so far says is still needed."""
        counts = self._settler.counts
        kept = counts.accepted + counts.parked
        rate = (kept + 1) / (counts.settled + 1)
        return max(1, math.ceil(1.25 * (self._recipe.samples - kept) / rate))

    async def _negotiate(self, number: int, ticket: Ticket) -> None:
        try:
            negotiation = await self._graph.negotiate(ticket, self._context)
        except asyncio.CancelledError:
            raise
        except BaseException as exc:
            self._news.put_nowait((number, exc))
        else:
            self._news.put_nowait((number, negotiation))
        self._awake.set()

    # -- waiting --------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Until a negotiation ends, a stop is asked for, time is up, or the review queue is due."""
        timeout = min(_REVIEW_POLL_S, max(0.0, self._deadline - time.monotonic()))
        try:
            async with asyncio.timeout(timeout):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()
        while not self._news.empty():
            number, news = self._news.get_nowait()
            self._running.pop(number, None)
            if isinstance(news, Negotiation):
                self._finished[number] = news
            else:
                self._hear(news)
        await self._apply_reviews()

    def _hear(self, error: BaseException) -> None:
        if isinstance(error, CapExceededError):
            self._rest = self._rest or Rest("capped", error.message)
        elif isinstance(error, EndpointError):
            self._rest = self._rest or Rest("stopped", str(error))
        else:
            self._crash = self._crash or error

    # -- settling -------------------------------------------------------------------------------------------

    async def _settle_ready(self) -> None:
        while not self._enough() and self._settler.next_task in self._finished:
            await self._settler.settle(self._finished.pop(self._settler.next_task))

    async def _apply_reviews(self) -> None:
        now = time.monotonic()
        if now < self._review_due:
            return
        self._review_due = now + _REVIEW_POLL_S
        for queued in self._settler.queued():
            given = await self._settler.review(queued, self._plan.free_number(self._next))
            self._plan.give(given)

    # -- resting --------------------------------------------------------------------------------------------

    def _enough(self) -> bool:
        counts = self._settler.counts
        return counts.accepted + counts.parked >= self._recipe.samples

    def _must_halt(self) -> bool:
        """Whether to leave now, without waiting for what is in flight."""
        if self._rest is None and time.monotonic() >= self._deadline:
            self._rest = Rest("capped", f"{self._recipe.limits.max_seconds:g} s are over")
        return self._rest is not None or self._stop.forced

    def _how_it_rests(self) -> Rest:
        counts = self._settler.counts
        if self._enough():
            return Rest("waiting", f"{counts.parked} parked") if counts.parked else Rest("complete")
        if self._rest is not None:
            return self._rest
        if self._stop.asked:
            return Rest("interrupted", "stopped on request")
        return Rest("capped", f"{self._settler.next_task} candidates drawn, the cap is {self._cap}")

    async def _cancel(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._running.clear()
