"""Timing never decides: the same tasks settle in the same order with the same fates, however long each takes."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest

from support.engine import MakeRun
from symposia.engine.result import StopSignal
from symposia.errors import CapExceededError, EndpointError, GraphError, SymposiaError
from symposia.records import Decision, HumanDecision, Ticket
from symposia.store import RunStore


def some(ticket: Ticket) -> str:
    number = ticket.task.number
    if number % 5 == 3:
        return f"bad {number}"
    if number % 11 == 7:
        return "failed"
    return f"text {number} {ticket.task.seed['i']} as of {ticket.as_of}"


def human(task: int, action: str, note: str = "") -> HumanDecision:
    return HumanDecision.model_validate(
        {
            "task": task,
            "reviewer": "ann",
            "action": action,
            "note": note,
            "policy": "all",
            "selection_probability": 1.0,
            "content_hash": "x",
            "constitution_hash": "",
            "decided_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
    )


def decided(store: RunStore, task: int) -> Decision:
    decision = store.decision(task)
    assert decision is not None
    return decision


async def test_stops_at_exactly_n_accepted(make_run: MakeRun) -> None:
    run = make_run(some, samples=10)
    rest = await run.go()
    assert rest.state == "complete"
    fates = run.fates()
    assert [n for n, _ in fates] == list(range(len(fates)))
    assert fates[-1][1] == "accepted"
    assert sum(outcome == "accepted" for _, outcome in fates) == 10


@pytest.mark.parametrize("in_flight", [1, 4, 32])
async def test_timing_and_in_flight_do_not_decide(make_run: MakeRun, in_flight: int) -> None:
    calm = make_run(some, samples=40)
    await calm.go()
    for jitter in range(3):
        hasty = make_run(some, samples=40, in_flight=in_flight, jitter=jitter)
        await hasty.go()
        assert hasty.dataset() == calm.dataset()
        assert hasty.fates() == calm.fates()


async def test_resume_continues_to_the_same_dataset(make_run: MakeRun) -> None:
    whole = make_run(some, samples=30)
    await whole.go()
    noise = random.Random(1)
    for attempt in range(2):
        broken = make_run(some, samples=30, jitter=attempt, folder=f"broken-{attempt}")
        for _ in range(25):
            task = asyncio.create_task(broken.go())
            for _ in range(noise.randrange(1, 40)):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await broken.go()
        assert broken.dataset() == whole.dataset()


async def test_a_task_sees_the_log_as_of_one_window_before(make_run: MakeRun) -> None:
    run = make_run(some, samples=50, window=16, in_flight=16, jitter=3)
    await run.go()
    with RunStore.open(run.folder) as store:
        logs = store.logs_from(0)
    for number, ticket in run.graph.tickets.items():
        assert ticket.as_of == (logs[number - 16] if number >= 16 else 0)


async def test_in_flight_is_reached_and_never_exceeded(make_run: MakeRun) -> None:
    run = make_run(some, samples=200, in_flight=50, window=200)
    run.graph.steps = lambda number: 20
    await run.go()
    assert run.graph.most_in_flight == 50


async def test_a_capped_run_is_a_prefix_and_goes_on(make_run: MakeRun) -> None:
    whole = make_run(some, samples=30)
    await whole.go()
    capped = make_run(some, samples=30, max_candidates=17)
    rest = await capped.go()
    assert rest.state == "capped"
    assert capped.fates() == whole.fates()[:17]
    capped.recipe = whole.recipe
    assert (await capped.go()).state == "complete"
    assert capped.dataset() == whole.dataset()


async def test_more_samples_later_draw_on(make_run: MakeRun) -> None:
    run = make_run(some, samples=5, jitter=1)
    await run.go()
    first = run.dataset()
    run.recipe = run.recipe.model_copy(update={"samples": 12})
    await run.go()
    assert run.dataset()[:5] == first
    assert len(run.dataset()) == 12


@pytest.mark.parametrize(
    ("error", "state"), [(CapExceededError("spent"), "capped"), (EndpointError("wrong key"), "stopped")]
)
async def test_what_stops_the_run_settles_nothing_wrong(
    make_run: MakeRun, error: SymposiaError, state: str
) -> None:
    def stumble(ticket: Ticket) -> str:
        if ticket.task.number == 12:
            raise error
        return some(ticket)

    run = make_run(stumble, samples=30, in_flight=4)
    rest = await run.go()
    assert rest.state == state
    assert error.message in rest.reason
    assert max(n for n, _ in run.fates()) < 12
    run.graph.draft = some
    assert (await run.go()).state == "complete"
    whole = make_run(some, samples=30)
    await whole.go()
    assert run.dataset() == whole.dataset()


async def test_a_broken_graph_is_raised_and_loses_nothing(make_run: MakeRun) -> None:
    def broken(ticket: Ticket) -> str:
        if ticket.task.number == 6:
            raise GraphError("broke its contract")
        return some(ticket)

    run = make_run(broken, samples=30, in_flight=1)
    with pytest.raises(GraphError, match="broke its contract"):
        await run.go()
    assert len(run.fates()) == 6


async def test_asked_to_stop_it_finishes_what_is_in_flight(make_run: MakeRun) -> None:
    stop = StopSignal()

    def ask(ticket: Ticket) -> str:
        if ticket.task.number == 9:
            stop.ask()
        return some(ticket)

    run = make_run(ask, samples=100, in_flight=4)
    run.graph.steps = lambda number: 5
    rest = await run.go(stop)
    assert rest.state == "interrupted"
    assert 10 <= len(run.fates()) <= 14
    assert run.graph.in_flight == 0


async def test_forced_to_stop_it_leaves_at_once(make_run: MakeRun) -> None:
    stop = StopSignal()
    run = make_run(some, samples=100, in_flight=4)
    run.graph.steps = lambda number: 10**9
    task = asyncio.create_task(run.go(stop))
    await asyncio.sleep(0.02)
    stop.force()
    rest = await asyncio.wait_for(task, 5)
    assert rest.state == "interrupted"
    assert run.fates() == []


async def test_wall_time_is_a_cap(make_run: MakeRun) -> None:
    run = make_run(some, samples=100, max_seconds=0.05)
    run.graph.steps = lambda number: 10**9
    rest = await asyncio.wait_for(run.go(), 5)
    assert rest.state == "capped"
    assert "0.05 s" in rest.reason


async def test_a_rejected_review_draws_on_and_never_exceeds_n(make_run: MakeRun) -> None:
    run = make_run(some, samples=10, park=lambda number: number % 2 == 0)
    rest = await run.go()
    assert rest.state == "waiting"
    with RunStore.open(run.folder, write=True) as store:
        parked = [n for n, d in store.decisions("parked")]
        assert len(parked) + store.counts().accepted == 10
        store.queue_review(human(parked[0], "reject"))
        store.queue_review(human(parked[1], "accept"))
    rest = await run.go()
    assert rest.state == "waiting"
    with RunStore.open(run.folder) as store:
        counts = store.counts()
        assert counts.accepted + counts.parked == 10
        assert decided(store, parked[0]).outcome == "rejected"
        assert decided(store, parked[1]).outcome == "accepted"
        assert store.queued_reviews() == []


async def test_one_sent_back_takes_the_next_undrawn_number(make_run: MakeRun) -> None:
    run = make_run(some, samples=6, park=lambda number: number == 1)
    await run.go()
    with RunStore.open(run.folder, write=True) as store:
        last = store.next_task() - 1
        store.queue_review(human(1, "send_back", "say when"))
    await run.go()
    ticket = run.graph.tickets[last + 1]
    sent_back = ticket.task.parameters["sent_back"]
    assert isinstance(sent_back, dict)
    assert sent_back["objection"] == "say when"
    assert ticket.task.seed == run.graph.tickets[1].task.seed
    with RunStore.open(run.folder) as store:
        assert decided(store, 1).cause == "sent_back"
        assert store.counts().accepted == 6


async def test_a_decision_that_cannot_be_applied_is_kept_with_its_reason(make_run: MakeRun) -> None:
    run = make_run(some, samples=3)
    await run.go()
    with RunStore.open(run.folder, write=True) as store:
        store.queue_review(human(0, "reject"))
        store.queue_review(human(999, "accept"))
    before = run.dataset()
    await run.go()
    assert run.dataset() == before
    with RunStore.open(run.folder) as store:
        assert store.queued_reviews() == []
    notices = [event.message for event in run.events if event.kind == "notice"]
    assert any("nothing settled is reopened" in text for text in notices)
    assert any("999" in text for text in notices)
