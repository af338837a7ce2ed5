"""A run, from a recipe to a run folder. Running the same recipe again goes on where it rested."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from symposia.contracts import ConcludeContext, Graph, NegotiateContext
from symposia.engine import assembly
from symposia.engine.finish import finish
from symposia.engine.folder import freeze, run_folder
from symposia.engine.gate import Gate
from symposia.engine.identity import identify
from symposia.engine.plan import Plan
from symposia.engine.result import Rest, RunResult, StopSignal
from symposia.engine.scheduler import Scheduler
from symposia.engine.settling import Settler
from symposia.errors import SourceError
from symposia.host import Host, Workbench
from symposia.llm import Budget, Ledger, Seating
from symposia.records import Draft, Event, NoticeGiven, Recipe, RunStarted, Turn, TurnTaken
from symposia.store import LEDGER_FILE, Assigned, RunLock, RunStore

__all__ = ["Listener", "apply_reviews", "run_recipe"]

Listener = Callable[[Event], None]


async def run_recipe(
    recipe: Recipe,
    *,
    base: Path,
    runs: Path,
    host: Host,
    listeners: Sequence[Listener] = (),
    new: bool = False,
    retry_failed: bool = False,
    stop: StopSignal | None = None,
) -> RunResult:
    """Run a recipe until it rests; a run of the same content goes on where it rested.

    Args:
        recipe: The plan.
        base: Folder against which the recipe's relative paths are read.
        runs: Folder of all runs; they share one request ledger.
        host: The plugins.
        listeners: Called with every event.
        new: Start a new run even if one of the same content is there.
        retry_failed: Ask failed tasks again, under new numbers.
        stop: How the run can be asked to stop.

    Raises:
        RecipeError: A parameter of a part is wrong.
        PluginError: A part is missing or broken.
        SourceError: The source can't be read or is empty.
        LockedError: Another process holds the run folder.
        StoreError: The folder can't be used.
    """
    started = time.monotonic()
    emit = _Emitter(host, listeners)
    bench = Workbench(host, base)
    parts = assembly.build_parts(recipe, bench)
    identity = identify(recipe, parts.fingerprints(assembly.build_graph(recipe, bench)))
    folder = run_folder(runs, recipe.name, identity, new)
    with RunLock(folder), RunStore.open(folder, write=True) as store:
        recipe = freeze(recipe, store, identity, base, emit)
        _keep_source(parts, store)
        async with _open(recipe, parts, Workbench(host, base, folder), store, runs, emit) as session:
            if retry_failed:
                _retry_failed(store, session.plan)
            emit(_started(recipe, folder, session.settler))
            rest = await session.scheduler(stop or StopSignal()).run()
            return finish(recipe, store, session.settler, rest, bench, emit, time.monotonic() - started)


async def apply_reviews(folder: Path, *, host: Host, listeners: Sequence[Listener] = ()) -> RunResult:
    """Give people's queued decisions their place in the settle log, without drawing new tasks.

    Raises:
        LockedError: A run is under way in the folder; it applies the decisions itself.
        StoreError: The folder holds no run.
    """
    started = time.monotonic()
    emit = _Emitter(host, listeners)
    with RunLock(folder), RunStore.open(folder, write=True) as store:
        recipe = store.recipe()
        base = Path(store.meta("base") or ".")
        bench = Workbench(host, base, folder)
        parts = assembly.build_parts(recipe, bench)
        async with _open(recipe, parts, bench, store, folder.parent, emit, seat=False) as session:
            emit(_started(recipe, folder, session.settler))
            for queued in session.settler.queued():
                number = session.plan.free_number(session.settler.next_task)
                session.plan.give(await session.settler.review(queued, number))
            rest = _rest_after_reviews(recipe, session.settler, store)
            return finish(recipe, store, session.settler, rest, bench, emit, time.monotonic() - started)


@dataclass(frozen=True)
class _Session:
    """Everything that is open while a run is under way."""

    recipe: Recipe
    graph: Graph
    plan: Plan
    settler: Settler
    store: RunStore
    negotiating: NegotiateContext
    emit: _Emitter

    def scheduler(self, stop: StopSignal) -> Scheduler:
        """The scheduler of this session."""
        return Scheduler(
            self.recipe, self.plan, self.graph, self.negotiating, self.settler, self.store, stop, self.emit
        )


class _Emitter:
    """Tells listeners and plugins what happened; a plugin that fails is reported once."""

    def __init__(self, host: Host, listeners: Sequence[Listener]) -> None:
        self._host = host
        self._listeners = listeners

    def __call__(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
        for failed in self._host.emit(event):
            for listener in self._listeners:
                listener(NoticeGiven(level="warning", message=failed))

    def turn(self, task: int, turn: Turn, draft: Draft | None) -> None:
        """A role spoke."""
        self(TurnTaken(task=task, turn=turn, draft=draft))


@asynccontextmanager
async def _open(
    recipe: Recipe,
    parts: assembly.Parts,
    bench: Workbench,
    store: RunStore,
    runs: Path,
    emit: _Emitter,
    seat: bool = True,
) -> AsyncIterator[_Session]:
    async with AsyncExitStack() as stack:
        graph = assembly.build_graph(recipe, bench)
        stack.push_async_callback(graph.close)
        gate = assembly.build_gate(recipe, bench)
        if gate is not None:
            stack.push_async_callback(gate.close)
            await gate.open(store)
        ledger = await Ledger.open(runs / LEDGER_FILE)
        stack.push_async_callback(ledger.close)
        context = NegotiateContext(roles={})
        if seat:
            seating = _seating(recipe, bench, store, ledger)
            stack.push_async_callback(seating.close)
            context = await _negotiating(recipe, parts, gate, ledger, seating, emit)
        concluding = ConcludeContext(
            settings=recipe.negotiation,
            review=recipe.review,
            run_seed=recipe.seed,
            gate=gate,
            verifiers=parts.verifiers,
            verdicts=ledger.verdicts,
        )
        constitution = parts.constitution
        label = f"{constitution.name} {constitution.hash[:12]}" if constitution else None
        settler = Settler(recipe, store, graph, concluding, gate, label, emit)
        plan = Plan(recipe, store, parts.personas)
        yield _Session(recipe, graph, plan, settler, store, context, emit)


def _seating(recipe: Recipe, bench: Workbench, store: RunStore, ledger: Ledger) -> Seating:
    roles = store.recipe().roles
    frozen = {"teacher": roles.teacher, "critic": roles.critic or roles.teacher}
    frozen["reviser"] = roles.reviser or roles.teacher
    for place, judge in enumerate(roles.judges):
        frozen[f"judge:{judge.name or f'{judge.use}-{place + 1}'}"] = judge
    limits = recipe.limits
    return Seating(
        bench,
        ledger,
        run=store.folder.name,
        run_seed=recipe.seed,
        in_flight=limits.in_flight,
        budget=Budget(max_cost_usd=limits.max_cost_usd, max_tokens=limits.max_tokens),
        frozen=frozen,
    )


async def _negotiating(
    recipe: Recipe,
    parts: assembly.Parts,
    gate: Gate | None,
    ledger: Ledger,
    seating: Seating,
    emit: _Emitter,
) -> NegotiateContext:
    roles = await assembly.seat_roles(recipe, seating)
    return NegotiateContext(
        roles=roles,
        critic=parts.critic,
        constitution=parts.constitution,
        verifiers=parts.verifiers,
        judges=await assembly.seat_judges(parts, roles["teacher"], seating),
        settings=recipe.negotiation,
        novelty_retries=recipe.novelty.retries if recipe.novelty else 0,
        probe=gate,
        verdicts=ledger.verdicts,
        on_turn=emit.turn,
    )


def _keep_source(parts: assembly.Parts, store: RunStore) -> None:
    if parts.constitution is not None and store.meta("constitution") is None:
        store.set_meta("constitution", parts.constitution.model_dump_json())
    if parts.source is not None and store.meta("rows") is None and store.put_rows(parts.source.rows()) == 0:
        raise SourceError("the source holds no rows", "give it at least one")


def _retry_failed(store: RunStore, plan: Plan) -> None:
    already = {given.like for given in store.assigned().values()}
    again = []
    number = plan.free_number(store.next_task())
    for task, _ in store.decisions("failed"):
        if task not in already:
            again.append(Assigned(number, task, {"retry_of": task}))
            number += 1
    store.give_numbers(again)
    plan.give(again)


def _started(recipe: Recipe, folder: Path, settler: Settler) -> RunStarted:
    counts = settler.counts
    return RunStarted(
        run=folder.name,
        folder=str(folder),
        resumed=counts.settled > 0,
        samples=recipe.samples,
        settled=counts.settled,
        accepted=counts.accepted,
    )


def _rest_after_reviews(recipe: Recipe, settler: Settler, store: RunStore) -> Rest:
    counts = settler.counts
    if counts.parked:
        return Rest("waiting", f"{counts.parked} parked")
    if counts.accepted >= recipe.samples:
        return Rest("complete")
    reason = "a rejected review leaves room: run the recipe again to draw on"
    return Rest("interrupted", reason)
