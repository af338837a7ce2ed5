"""A seated model: one request for a key, caps, several replies, addresses that change, and replays."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest

from support.llm import ABLE, GOOD, SPEC, VERDICT, FakeBackend, question, reply, seating, texts
from symposia.contracts import Capabilities, ChatReply, ChatRequest, UnusableAnswerError
from symposia.errors import CapExceededError, EndpointError, PluginError, RequestError, SourceError, UsageError
from symposia.llm import Budget, Cassette, ReplayBackend, bill, explain, export_cassette, stats
from symposia.records import RoleSpec, Usage

GREEDY = SPEC.model_copy(update={"temperature": 0.0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def echo(request: ChatRequest) -> str:
    return f"seed {request.seed}"


# -- the ledger decides --------------------------------------------------------------------------------------------


async def test_what_was_answered_is_never_asked_again_and_is_the_same(path: Path) -> None:
    first = FakeBackend(echo)
    async with seating(path, first) as seats:
        before = await texts(await seats.seat("teacher", SPEC), 10)
        assert (seats.pulse().answered, seats.pulse().hits) == (10, 0)
    second = FakeBackend(lambda request: "something else")
    async with seating(path, second, run="run-2") as seats:
        model = await seats.seat("teacher", SPEC)
        assert await texts(model, 10) == before
        assert (seats.pulse().answered, seats.pulse().hits, seats.pulse().tokens) == (0, 10, 0)
        assert (await model.ask(question(10))).text == "something else"
    assert len(first.sent) == 10
    assert len(second.sent) == 1
    assert second.looked == 1


async def test_a_hit_gives_the_same_turn_as_the_miss_did(path: Path) -> None:
    unable = ABLE.model_copy(update={"json_schema": False, "n": False})
    turns = []
    for _ in range(2):
        async with seating(path, FakeBackend(lambda request: GOOD, able=unable)) as seats:
            model = await seats.seat("teacher", SPEC)
            turns.append([(await model.ask(question(0, schema=VERDICT, n=n))).turn for n in (1, 3)])
    assert turns[0] == turns[1]
    assert turns[0][0].usage.calls == 1
    assert turns[0][1].usage.calls == 3


async def test_resuming_needs_no_endpoint_while_everything_is_stored(path: Path) -> None:
    async with seating(path, FakeBackend(echo)) as seats:
        before = await texts(await seats.seat("teacher", SPEC), 3)

    class Down(FakeBackend):
        async def capabilities(self) -> Capabilities:
            raise EndpointError("down")

    async with seating(path, Down(echo)) as seats:
        model = await seats.seat("teacher", SPEC)
        assert await texts(model, 3) == before
        with pytest.raises(EndpointError, match="down"):
            await model.ask(question(3))


async def test_the_seed_follows_the_draw_and_is_sent_only_where_it_is_taken(path: Path) -> None:
    able, unable = FakeBackend(echo), FakeBackend(echo, able=Capabilities(), identity="host-b")
    async with seating(path, able, unable) as seats:
        model = await seats.seat("teacher", SPEC)
        cold = await seats.seat("critic", GREEDY)
        blind = await seats.seat("judge:a", SPEC.model_copy(update={"base_url": "http://1"}))
        assert len(set(await texts(model, 5))) == 5
        assert (await cold.ask(question())).text == "seed None"
        answer = await blind.ask(question())
        assert answer.text == "seed None"
        assert "no sampling seed" in explain(path, answer.turn.keys[0]).notes[0]
    async with seating(path.with_name("other"), FakeBackend(echo), seed=8) as seats:
        model = await seats.seat("teacher", SPEC)
        assert not {f"seed {request.seed}" for request in able.sent} & set(await texts(model, 5))


async def test_equal_requests_at_once_are_sent_once(path: Path) -> None:
    backend = FakeBackend(lambda request: "one answer", delay_s=0.02)
    async with seating(path, backend) as seats:
        teacher, critic = await seats.seat("teacher", GREEDY), await seats.seat("critic", GREEDY)
        asked = [model.ask(question(task)) for task in range(10) for model in (teacher, critic)]
        assert {answer.text for answer in await asyncio.gather(*asked)} == {"one answer"}
        assert (seats.pulse().answered, seats.pulse().hits) == (1, 19)
    assert len(backend.sent) == 1


async def test_when_the_one_who_asked_is_called_off_another_asks(path: Path) -> None:
    backend = FakeBackend(lambda request: "one answer", delay_s=0.05)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", GREEDY)
        asked = [asyncio.create_task(model.ask(question(task))) for task in range(4)]
        await backend.arrived(1)
        asked[0].cancel()
        asked[2].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in found] == [True, False, True, False]
    assert len(backend.sent) == 2
    gc.collect()


async def test_whoever_waits_for_the_same_answer_gets_the_same_error(path: Path) -> None:
    async def tell(request: ChatRequest) -> str:
        await asyncio.sleep(0.01)
        raise RequestError("too long", "context_overflow")

    backend = FakeBackend(tell)
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", GREEDY)
        found = await asyncio.gather(*(model.ask(question()) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(each, RequestError) and each.cause == "context_overflow" for each in found)
        assert len(backend.sent) == 1
        with pytest.raises(RequestError):
            await model.ask(question())
    assert len(backend.sent) == 2
    assert stats(path).failures == 1


async def test_an_answer_of_another_process_that_came_first_is_used(path: Path) -> None:
    async with seating(path, FakeBackend(lambda request: "theirs"), run="theirs") as theirs:
        other = await theirs.seat("teacher", SPEC)

        async def tell(request: ChatRequest) -> str:
            await other.ask(question())
            return "ours"

        async with seating(path, FakeBackend(tell), run="ours") as ours:
            model = await ours.seat("teacher", SPEC)
            assert (await model.ask(question())).text == "theirs"
    assert bill(path, "ours") == {}


# -- caps ----------------------------------------------------------------------------------------------------------


async def test_a_cap_lets_through_what_is_in_flight_and_no_more(path: Path) -> None:
    backend = FakeBackend(echo, delay_s=0.001)
    budget = Budget(max_tokens=15 * 20)
    async with seating(path, backend, in_flight=8, budget=budget) as seats:
        model = await seats.seat("teacher", SPEC)
        asked = (model.ask(question(task)) for task in range(200))
        found = await asyncio.gather(*asked, return_exceptions=True)
        refused = [each for each in found if isinstance(each, CapExceededError)]
        assert 20 <= 200 - len(refused) <= 27
        assert len(backend.sent) == 200 - len(refused)
        assert "the cap of 300 tokens is reached" in refused[0].message
        assert "limits.max_tokens" in refused[0].hint
        assert seats.pulse().paid.tokens == 15 * len(backend.sent)


async def test_a_cap_counts_what_the_run_paid_before_and_hits_cost_nothing(path: Path) -> None:
    backend = FakeBackend(lambda request: reply("x", cost=1.0))
    async with seating(path, backend, budget=Budget(max_cost_usd=2.0)) as seats:
        await texts(await seats.seat("teacher", SPEC), 2)
    async with seating(path, backend, budget=Budget(max_cost_usd=2.0)) as seats:
        model = await seats.seat("teacher", SPEC)
        assert await texts(model, 2) == ["x", "x"]
        with pytest.raises(CapExceededError, match=r"cap of \$2 is reached \(\$2.0000 spent\)"):
            await model.ask(question(2))
        assert seats.pulse().usage == Usage()
        assert seats.pulse().paid.cost_usd == 2.0
    async with seating(path, backend, run="run-2", budget=Budget(max_cost_usd=2.0)) as seats:
        assert (await (await seats.seat("teacher", SPEC)).ask(question(2))).text == "x"


async def test_a_cap_on_money_without_a_price_is_one_clear_error_up_front(path: Path) -> None:
    unpriced = FakeBackend(echo, able=ABLE.model_copy(update={"priced": False}))
    async with seating(path, unpriced, budget=Budget(max_cost_usd=2.0)) as seats:
        model = await seats.seat("teacher", SPEC)
        with pytest.raises(CapExceededError, match="price of fake/model is unknown") as caught:
            await model.ask(question())
        assert "limits.max_tokens" in caught.value.hint
    assert unpriced.sent == []


async def test_a_known_price_lets_all_go_at_once(path: Path) -> None:
    priced = FakeBackend(lambda request: reply("x", cost=0.1), delay_s=0.005)
    async with seating(path, priced, in_flight=8, budget=Budget(max_cost_usd=9.0)) as seats:
        await texts(await seats.seat("teacher", SPEC), 20)
    assert priced.most_at_once == 8


async def test_a_price_that_turns_out_to_be_unknown_costs_one_answer(path: Path) -> None:
    backend = FakeBackend(lambda request: reply("x", cost=None))
    async with seating(path, backend, in_flight=4, budget=Budget(max_cost_usd=2.0)) as seats:
        model = await seats.seat("teacher", SPEC)
        asked = (model.ask(question(task)) for task in range(20))
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert len(backend.sent) == 1
    assert sum(isinstance(each, CapExceededError) for each in found) == 19
    async with seating(path, backend, budget=Budget(max_cost_usd=2.0)) as seats:
        with pytest.raises(CapExceededError, match="a model that this run asked before is unknown"):
            await (await seats.seat("teacher", SPEC)).ask(question(99))
    async with seating(path, backend) as seats:
        assert (await (await seats.seat("teacher", SPEC)).ask(question(99))).text == "x"


# -- several replies -----------------------------------------------------------------------------------------------


async def test_several_replies_come_at_once_where_the_backend_gives_them(path: Path) -> None:
    backend = FakeBackend(lambda request: reply("x", n=request.n))
    async with seating(path, backend) as seats:
        answer = await (await seats.seat("teacher", SPEC)).ask(question(n=3))
        assert answer.reply.texts == ("x", "x", "x")
        assert len(answer.turn.keys) == 1
    assert [request.n for request in backend.sent] == [3]


async def test_elsewhere_they_are_asked_for_one_by_one_each_in_a_draw_of_its_own(path: Path) -> None:
    backend = FakeBackend(echo, able=Capabilities(seed=True))
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        answer = await model.ask(question(n=3))
        assert len(set(answer.reply.texts)) == len(set(answer.turn.keys)) == 3
        assert answer.turn.usage == Usage(calls=3, prompt_tokens=30, completion_tokens=15, cost_usd=0.0)
        assert (await model.ask(question(n=1))).text == answer.reply.texts[0]
    assert [request.n for request in backend.sent] == [1, 1, 1]


async def test_at_temperature_0_all_replies_are_one(path: Path) -> None:
    backend = FakeBackend(lambda request: "x")
    async with seating(path, backend) as seats:
        answer = await (await seats.seat("teacher", GREEDY)).ask(question(n=3))
        assert answer.reply.texts == ("x", "x", "x")
        assert answer.turn.usage.calls == 1
    assert [request.n for request in backend.sent] == [1]


async def test_when_one_of_several_fails_the_others_are_stored(path: Path) -> None:
    async def tell(request: ChatRequest) -> str:
        if request is backend.sent[0]:
            raise RequestError("filtered", "content_filter")
        await asyncio.sleep(0.01)
        return "x"

    backend = FakeBackend(tell, able=Capabilities(seed=True))
    async with seating(path, backend) as seats:
        with pytest.raises(RequestError):
            await (await seats.seat("teacher", SPEC)).ask(question(n=3))
    assert stats(path).entries == 2


# -- clear errors --------------------------------------------------------------------------------------------------


async def test_log_probabilities_that_are_not_there_are_named(path: Path) -> None:
    backend = FakeBackend(echo, able=Capabilities())
    async with seating(path, backend) as seats:
        model = await seats.seat("judge:a", SPEC)
        with pytest.raises(UsageError, match="capability 'logprobs'"):
            await model.ask(replace(question(), top_logprobs=5))
    assert backend.sent == []


async def test_an_unknown_backend_gets_a_suggestion(path: Path) -> None:
    async with seating(path, FakeBackend(echo)) as seats:
        with pytest.raises(PluginError, match="no backend is called 'fade'") as caught:
            await seats.seat("teacher", SPEC.model_copy(update={"model": "fade/x"}))
        assert caught.value.hint == "did you mean 'fake'?"


@pytest.mark.parametrize(
    ("told", "cause"),
    [("", "empty"), (" \n", "empty"), (reply("half an ans", finish="length"), "truncated")],
)
async def test_an_answer_that_is_empty_or_cut_off_is_none(path: Path, told: str | ChatReply, cause: str) -> None:
    async with seating(path, FakeBackend(lambda request: told)) as seats:
        with pytest.raises(UnusableAnswerError) as caught:
            await (await seats.seat("teacher", SPEC)).ask(question())
    assert caught.value.cause == cause
    assert caught.value.turn.value is None
    assert explain(path, caught.value.turn.keys[0]).truncated == (cause == "truncated")


async def test_a_filtered_answer_fails_the_request_and_is_kept(path: Path) -> None:
    backend = FakeBackend(lambda request: reply("", finish="content_filter"))
    async with seating(path, backend) as seats:
        model = await seats.seat("teacher", SPEC)
        for _ in range(2):
            with pytest.raises(RequestError, match="filtered") as caught:
                await model.ask(question())
            assert caught.value.cause == "content_filter"
    assert len(backend.sent) == 1


async def test_a_reply_without_a_choice_is_asked_for_again(path: Path) -> None:
    empty = ChatReply(texts=(), finish_reasons=(), usage=Usage(calls=1))
    told = iter([empty, reply("there")])
    async with seating(path, FakeBackend(lambda request: next(told))) as seats:
        assert (await (await seats.seat("teacher", SPEC)).ask(question())).text == "there"


async def test_a_prompt_with_half_a_surrogate_pair_can_be_asked(path: Path) -> None:
    backend = FakeBackend(echo)
    async with seating(path, backend) as seats:
        await (await seats.seat("teacher", SPEC)).ask(question(text="a\ud83db\x00c"))
    assert backend.sent[0].messages[-1]["content"] == "a\ufffdb\ufffdc"


# -- seats ---------------------------------------------------------------------------------------------------------


async def test_roles_share_backends_by_model_and_address_and_lanes_by_endpoint(path: Path) -> None:
    one, two = FakeBackend(echo, delay_s=0.005), FakeBackend(echo, identity="host-b", delay_s=0.005)
    async with seating(path, one, two, in_flight=3) as seats:
        teacher = await seats.seat("teacher", SPEC)
        critic = await seats.seat("critic", SPEC.model_copy(update={"temperature": 1.1}))
        judge = await seats.seat("judge:a", SPEC.model_copy(update={"base_url": "http://1"}))
        assert teacher.identity == critic.identity != judge.identity
        assert (teacher.role, teacher.model) == ("teacher", "fake/model")
        await asyncio.gather(*(texts(model, 6) for model in (teacher, critic, judge)))
        assert one.most_at_once + two.most_at_once <= 6
    assert one.closed
    assert two.closed


async def test_weights_are_told_apart_by_their_digest_where_it_is_known(path: Path) -> None:
    digest = "sha256:" + "ab" * 32
    one, two = FakeBackend(echo, identity=digest), FakeBackend(echo, identity=digest)
    async with seating(path, one, two) as seats:
        alias = SPEC.model_copy(update={"model": "fake/alias", "base_url": "http://1"})
        assert (await seats.seat("teacher", SPEC)).identity == digest
        assert (await seats.seat("judge:a", alias)).identity == digest


async def test_after_a_move_the_answers_of_the_first_address_are_still_those_of_the_run(path: Path) -> None:
    old, new = FakeBackend(echo, identity="old-host"), FakeBackend(lambda request: "new", identity="new-host")
    moved = SPEC.model_copy(update={"base_url": "http://1"})
    async with seating(path, old, new) as seats:
        before = await texts(await seats.seat("teacher", SPEC), 3)
    async with seating(path, old, new, frozen={"teacher": SPEC}) as seats:
        model = await seats.seat("teacher", moved)
        assert await texts(model, 3) == before
        assert (await model.ask(question(3))).text == "new"
    async with seating(path, old, new, frozen={"teacher": SPEC}) as seats:
        assert (await (await seats.seat("teacher", SPEC)).ask(question(3))).text == "new"
        other = await seats.seat("critic", moved)
        assert (await other.ask(question(0))).text == "new"
    assert len(old.sent) == 3


async def test_a_seating_gives_the_collector_back_as_it_was(path: Path) -> None:
    before = gc.get_threshold()
    async with seating(path, FakeBackend(echo)) as seats:
        await seats.seat("teacher", SPEC)
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before


# -- replays -------------------------------------------------------------------------------------------------------


def on_cassette(cassette: Path, spec: RoleSpec = SPEC) -> RoleSpec:
    return spec.model_copy(update={"model": f"replay/{spec.model}", "base_url": cassette.name})


@pytest.mark.parametrize("exported", [False, True])
async def test_a_replay_gives_the_same_turns_without_the_backend(path: Path, exported: bool) -> None:
    answers = iter(["oops", '{"verdict": "yes", "reason": "so",}'])
    backend = FakeBackend(
        lambda request: next(answers, echo(request)), able=Capabilities(seed=True), identity="host-a"
    )

    async def ask_all(spec: RoleSpec, seats_path: Path) -> list[object]:
        async with seating(seats_path, backend) as seats:
            model = await seats.seat("teacher", spec)
            asked = [question(0, schema=VERDICT), question(1), question(2, n=3)]
            found: list[object] = [(await model.ask(each)).turn for each in asked]
            with pytest.raises(UnusableAnswerError) as caught:
                await model.ask(question(3, schema=VERDICT))
            return [*found, caught.value.turn, model.model, model.identity]

    first = await ask_all(SPEC, path)
    sent = len(backend.sent)
    cassette = path
    if exported:
        cassette = path.with_name("cassette.jsonl")
        assert export_cassette(path, None, cassette) == sent
    other = path.with_name("other.sqlite")
    assert await ask_all(on_cassette(cassette), other) == first
    assert len(backend.sent) == sent
    assert stats(other).entries == sent
    assert bill(other) == bill(path)


@pytest.mark.parametrize("exported", [False, True])
async def test_what_is_not_recorded_is_a_clear_error(path: Path, exported: bool) -> None:
    async with seating(path, FakeBackend(echo)) as seats:
        await (await seats.seat("teacher", SPEC)).ask(question(0))
    cassette = path.with_name("cassette.jsonl")
    export_cassette(path, None, cassette)
    cassette = cassette if exported else path
    async with seating(path.with_name("other.sqlite"), FakeBackend(echo)) as seats:
        model = await seats.seat("teacher", on_cassette(cassette))
        with pytest.raises(EndpointError, match="holds no answer to request") as caught:
            await model.ask(question(5))
        assert "draw.task: 5  ≠  0" in caught.value.hint
        with pytest.raises(EndpointError, match="holds no answer of 'fake/modal'") as missing:
            await seats.seat("critic", on_cassette(cassette, SPEC.model_copy(update={"model": "fake/modal"})))
        assert "did you mean 'fake/model'?" in missing.value.hint


async def test_a_replay_fails_where_the_recorded_run_failed(path: Path) -> None:
    def tell(request: ChatRequest) -> str:
        raise RequestError("too long", "context_overflow")

    async with seating(path, FakeBackend(tell)) as seats:
        model = await seats.seat("teacher", SPEC)
        with pytest.raises(RequestError) as first:
            await model.ask(question(0))
        path_with_answer = FakeBackend(echo)
    async with seating(path, path_with_answer) as seats:
        await (await seats.seat("teacher", SPEC)).ask(question(1))
    async with seating(path.with_name("other.sqlite"), FakeBackend(echo)) as seats:
        model = await seats.seat("teacher", on_cassette(path))
        with pytest.raises(RequestError) as again:
            await model.ask(question(0))
    assert (again.value.message, again.value.cause) == (first.value.message, first.value.cause)


async def test_a_replay_finds_answers_recorded_at_any_host(path: Path) -> None:
    for task, host in enumerate(("host-a", "host-b")):
        async with seating(path, FakeBackend(lambda request, host=host: host, identity=host)) as seats:  # type: ignore[misc]
            await (await seats.seat("teacher", SPEC)).ask(question(task))
    async with seating(path.with_name("other.sqlite"), FakeBackend(echo)) as seats:
        assert await texts(await seats.seat("teacher", on_cassette(path)), 2) == ["host-a", "host-b"]


async def test_a_replay_asked_directly_knows_requests_at_temperature_0(path: Path) -> None:
    async with seating(path, FakeBackend(echo)) as seats:
        await (await seats.seat("teacher", GREEDY)).ask(question())
    backend = ReplayBackend(path, "fake/model")
    sent = ChatRequest(model="model", messages=question().messages, temperature=0, max_tokens=64)
    assert (await backend.chat(sent, 1)).texts == ("seed None",)
    assert await backend.capabilities() == Capabilities()
    assert backend.identity == "host-a"
    with pytest.raises(EndpointError):
        await backend.chat(sent.model_copy(update={"max_tokens": 3}), 1)
    await backend.close()
    await backend.close()


def test_a_file_that_is_no_cassette_is_refused(tmp_path: Path) -> None:
    for content in (
        "",
        "{}\n",
        "nonsense\n",
        '{"symposia_cassette": 99}\n',
        '{"symposia_cassette": 1}\n{"x": 1}\n',
    ):
        file = tmp_path / "cassette.jsonl"
        file.write_text(content)
        with pytest.raises(SourceError, match=r"cassette\.jsonl(:\d: not a line| is empty)"):
            Cassette.open(file)
    with pytest.raises(SourceError, match="No such file"):
        Cassette.open(tmp_path / "none")
