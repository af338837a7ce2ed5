"""How many requests an endpoint gets, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support.llm import HASTY, SPEC, FakeBackend, question, seating, texts
from symposia.contracts import Capabilities, ChatRequest
from symposia.errors import (
    EndpointError,
    RateLimitedError,
    RequestError,
    SymposiaError,
    TransientError,
    UnreachableError,
)
from symposia.llm import Patience
from symposia.llm.limits import Lane
from symposia.secrets import read_secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


async def test_two_hundred_asked_are_two_hundred_on_the_wire(path: Path) -> None:
    everybody = asyncio.Event()

    async def wait(request: ChatRequest) -> str:
        if backend.at_once == 200:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 10)
        return "there"

    backend = FakeBackend(wait)
    async with seating(path, backend, in_flight=200) as seats:
        model = await seats.seat("teacher", SPEC)
        waiting = asyncio.gather(*(model.ask(question(task)) for task in range(260)))
        await everybody.wait()
        assert seats.pulse().in_flight == 200
        assert seats.pulse().waiting == 60
        await waiting
        assert backend.most_at_once == 200
        assert (seats.pulse().in_flight, seats.pulse().answered) == (0, 260)


async def test_in_a_storm_of_rate_limits_everything_is_answered_and_the_lane_finds_the_capacity(path: Path) -> None:
    capacity, refused = 4, 0

    def storm(request: ChatRequest) -> str:
        nonlocal refused
        if backend.at_once > capacity:
            refused += 1
            raise RateLimitedError("slow down", 0.01 if refused % 2 else None)
        return f"seed {request.seed}"

    backend = FakeBackend(storm, delay_s=0.002)
    async with seating(path, backend, in_flight=64) as seats:
        model = await seats.seat("teacher", SPEC)
        answers = await texts(model, 150)
        assert len(set(answers)) == 150
        assert refused > 60
        assert seats.pulse().answered == 150
    tail = backend.sent[-100:]
    assert len(tail) < 4 * len(set(answers))


async def test_rate_limits_never_use_up_the_tries(path: Path) -> None:
    refusals = iter(range(40))

    def tell(request: ChatRequest) -> str:
        if next(refusals, None) is not None:
            raise RateLimitedError("slow down")
        return "at last"

    async with seating(path, FakeBackend(tell)) as seats:
        model = await seats.seat("teacher", SPEC)
        assert (await model.ask(question())).text == "at last"


async def test_a_retry_after_closes_the_lane_for_everybody(path: Path) -> None:
    loop = asyncio.get_running_loop()
    at: list[float] = []

    def tell(request: ChatRequest) -> str:
        at.append(loop.time())
        if len(at) == 1:
            raise RateLimitedError("slow down", 0.2)
        return "fine"

    backend = FakeBackend(tell)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        first = asyncio.create_task(model.ask(question(0)))
        await backend.arrived(1)
        await asyncio.sleep(0)
        later = asyncio.create_task(model.ask(question(1)))
        await asyncio.sleep(0.05)
        assert 0 < seats.pulse().paused_s <= 0.2
        assert len(at) == 1
        await asyncio.gather(first, later)
    assert at[1] - at[0] >= 0.19


# -- failures ------------------------------------------------------------------------------------------------------


async def test_a_request_that_fails_while_others_succeed_is_given_up_alone(path: Path) -> None:
    def tell(request: ChatRequest) -> str:
        if request.messages[-1]["content"] == "bad":
            raise TransientError("internal error")
        return "fine"

    backend = FakeBackend(tell, delay_s=0.001)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        bad = question(1000, text="bad")
        others = asyncio.create_task(texts(model, 300))
        with pytest.raises(
            RequestError, match="while others at endpoint-a succeeded; last: internal error"
        ) as caught:
            await model.ask(bad)
        assert caught.value.cause == "server_error"
        assert set(await others) == {"fine"}
    assert sum(request.messages[-1]["content"] == "bad" for request in backend.sent) >= HASTY.tries


async def test_when_nothing_succeeds_the_endpoint_is_at_fault(path: Path) -> None:
    def tell(request: ChatRequest) -> str:
        raise TransientError("internal error")

    async with seating(path, FakeBackend(tell)) as seats:
        model = await seats.seat("teacher", SPEC)
        found = await asyncio.gather(*(model.ask(question(task)) for task in range(30)), return_exceptions=True)
    assert all(isinstance(error, EndpointError) for error in found)
    error = found[0]
    assert isinstance(error, EndpointError)
    assert "endpoint-a (fake/model) has never answered" in error.message
    assert "last: internal error" in error.message
    assert "run the same command again" in error.hint


async def test_a_slow_endpoint_is_not_taken_for_a_dead_one(path: Path) -> None:
    """Requests under way from before may still show that it is sound; until then nothing is decided."""

    async def tell(request: ChatRequest) -> str:
        if request.messages[-1]["content"] == "bad":
            raise TransientError("internal error")
        await asyncio.sleep(0.15)
        return "fine"

    backend = FakeBackend(tell)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        good = asyncio.create_task(model.ask(question(0)))
        await backend.arrived(1)
        bad = question(1, text="bad")
        with pytest.raises(RequestError):
            await model.ask(bad)
        assert (await good).text == "fine"


async def test_an_endpoint_that_comes_back_is_waited_for(path: Path) -> None:
    failures = iter(range(3))

    def tell(request: ChatRequest) -> str:
        if next(failures, None) is not None:
            raise UnreachableError("refused")
        return "back"

    async with seating(path, FakeBackend(tell)) as seats:
        model = await seats.seat("teacher", SPEC)
        assert (await model.ask(question())).text == "back"


def test_an_endpoint_that_never_answered_is_given_up_within_ten_seconds() -> None:
    patience = Patience(random=lambda: 1.0)
    waits = [patience.wait(failed, proven=False) for failed in range(1, patience.tries)]
    assert sum(waits) <= 10
    assert patience.unproven_s + patience.unproven_cap_s <= 10
    assert patience.wait(500, proven=True) == patience.cap_s


async def test_a_connection_that_takes_long_to_fail_is_given_up_by_the_clock(path: Path) -> None:
    def tell(request: ChatRequest) -> str:
        raise UnreachableError("no route")

    patience = Patience(tries=1000, base_s=0.001, unproven_cap_s=0.01, unproven_s=0.1)
    backend = FakeBackend(tell, delay_s=0.02)
    async with seating(path, backend, patience=patience) as seats:
        model = await seats.seat("teacher", SPEC)
        with pytest.raises(EndpointError, match="no route"):
            await asyncio.wait_for(model.ask(question()), 5)
    assert len(backend.sent) < 20


async def test_a_backend_that_ignores_its_deadline_is_cut_off(path: Path) -> None:
    hung: list[bool] = []

    async def hang() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            hung.append(True)
        return "never"

    backend = FakeBackend(lambda request: hang() if request.messages[-1]["content"] == "bad" else "fine")
    spec = SPEC.model_copy(update={"timeout_s": 0.02})
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", spec)
        bad = question(1, text="bad")
        asked = asyncio.create_task(model.ask(bad))
        for task in range(100, 400):
            await model.ask(question(task))
            if asked.done():
                break
        with pytest.raises(RequestError, match="no answer within the deadline") as caught:
            await asked
        assert caught.value.cause == "deadline"
        assert len(hung) == sum(request.messages[-1]["content"] == "bad" for request in backend.sent)


async def test_called_off_requests_leave_no_place_taken(path: Path) -> None:
    async def hang() -> str:
        await asyncio.sleep(60)
        return "never"

    stuck = True
    backend = FakeBackend(lambda request: hang() if stuck else "fine")
    async with seating(path, backend, in_flight=4) as seats:
        model = await seats.seat("teacher", SPEC)
        asked = [asyncio.create_task(model.ask(question(task))) for task in range(20)]
        await backend.arrived(4)
        for task in reversed(asked):
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert (seats.pulse().in_flight, seats.pulse().waiting) == (0, 0)
        stuck = False
        assert await asyncio.wait_for(texts(model, 20), 10) == ["fine"] * 20


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (RequestError("too long", "context_overflow"), RequestError),
        (EndpointError("wrong key"), EndpointError),
        (KeyError("choices"), EndpointError),
    ],
)
async def test_other_failures_are_not_tried_again(
    path: Path, raised: Exception, expected: type[SymposiaError]
) -> None:
    def tell(request: ChatRequest) -> str:
        raise raised

    backend = FakeBackend(tell)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        with pytest.raises(expected):
            await model.ask(question())
    assert len(backend.sent) == 1


async def test_errors_hold_no_secret(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-very-secret-2")
    read_secret("OTHER_KEY")

    def tell(request: ChatRequest) -> str:
        raise next(raised)

    causes: list[Exception] = [
        EndpointError("key sk-very-secret-2 refused"),
        RequestError("sk-very-secret-2", "c"),
        ValueError("sk-very-secret-2"),
        *[TransientError("with sk-very-secret-2")] * HASTY.tries,
    ]
    raised = iter(causes)
    async with seating(path, FakeBackend(tell)) as seats:
        model = await seats.seat("teacher", SPEC)
        for task in range(4):
            with pytest.raises(SymposiaError) as caught:
                await model.ask(question(task))
            assert "very-secret" not in f"{caught.value} {caught.value.args} {caught.value.hint}"
            assert "***" in caught.value.message


# -- what a backend is able to do ----------------------------------------------------------------------------------


async def test_capabilities_are_looked_up_once_and_with_patience(path: Path) -> None:
    class Shy(FakeBackend):
        async def capabilities(self) -> Capabilities:
            self.looked += 1
            if self.looked == 1:
                raise RateLimitedError("slow down", 0.001)
            if self.looked == 2:
                raise UnreachableError("refused")
            return self.able

    backend = Shy(lambda request: "fine")
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        assert backend.looked == 0
        await texts(model, 20)
    assert backend.looked == 3


async def test_capabilities_that_can_not_be_had_are_an_endpoint_error(path: Path) -> None:
    class Down(FakeBackend):
        async def capabilities(self) -> Capabilities:
            raise UnreachableError("refused")

    async with seating(path, Down(lambda request: "fine")) as seats:
        model = await seats.seat("teacher", SPEC)
        found = await asyncio.gather(*(model.ask(question(task)) for task in range(5)), return_exceptions=True)
        assert all(isinstance(error, EndpointError) for error in found)


# -- the lane alone ------------------------------------------------------------------------------------------------


async def test_a_lane_is_cut_once_a_round_trip_and_grows_again_by_one() -> None:
    lane = Lane("e", 100)
    numbers = [await lane.enter() for _ in range(100)]
    for number in numbers:
        lane.refused(number)
    assert lane.limit == 50
    for number in numbers:
        lane.leave(number)
    numbers = [await lane.enter() for _ in range(50)]
    lane.refused(numbers[0])
    assert lane.limit == 25
    for number in numbers:
        lane.leave(number)
    for _ in range(26):
        lane.succeeded()
    assert lane.limit == 26
    for _ in range(20_000):
        lane.succeeded()
    assert lane.limit == 100


async def test_a_few_failures_do_not_narrow_a_lane_and_many_do() -> None:
    lane = Lane("e", 64)

    async def outcomes(pattern: Callable[[int], bool], count: int) -> None:
        for place in range(count):
            number = await lane.enter()
            if pattern(place):
                lane.succeeded()
            else:
                lane.stumbled(number)
            lane.leave(number)

    await outcomes(lambda place: place % 5 != 0, 200)
    assert lane.limit == 64
    await outcomes(lambda place: False, 10)
    assert lane.limit < 8


async def test_places_are_given_in_order_and_second_attempts_go_first() -> None:
    lane = Lane("e", 1)
    first = await lane.enter()
    order: list[str] = []

    async def come(name: str, again: bool = False) -> None:
        number = await lane.enter(again=again)
        order.append(name)
        lane.leave(number)

    tasks = [asyncio.create_task(come(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(come("again", again=True)))
    await asyncio.sleep(0)
    assert lane.waiting == 4
    lane.leave(first)
    await asyncio.gather(*tasks)
    assert order == ["again", "a", "b", "c"]
    assert (lane.on_wire, lane.waiting) == (0, 0)


async def test_a_place_given_to_one_that_was_called_off_goes_to_the_next() -> None:
    lane = Lane("e", 1)
    first = await lane.enter()
    called_off, patient = (asyncio.create_task(lane.enter()) for _ in range(2))
    await asyncio.sleep(0)
    lane.leave(first)
    called_off.cancel()
    assert await asyncio.wait_for(patient, 5)
    assert lane.on_wire == 1
