"""Why a request was a hit or a miss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.llm import SPEC, VERDICT, FakeBackend, question, reply, seating, user
from symposia.contracts import ChatRequest
from symposia.errors import RequestError, UsageError
from symposia.llm import Explanation, explain, stats


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


async def ask(path: Path, *, run: str = "run-1", seed: int = 7, task: int = 0, text: str = "Why?") -> str:
    """Ask one question and give its key."""
    async with seating(path, FakeBackend(lambda request: "because"), run=run, seed=seed) as seats:
        return (await (await seats.seat("teacher", SPEC)).ask(question(task, text))).turn.keys[0]


def fields(found: Explanation) -> list[list[str]]:
    return [[difference.field for difference in near.differences] for near in found.nearest]


async def test_an_entry_is_explained_with_all_its_pieces(path: Path) -> None:
    key = await ask(path)
    found = explain(path, key[:10].upper())
    assert (found.key, found.run, found.truncated, found.failure, found.nearest) == (key, "run-1", False, "", ())
    assert found.model is not None
    assert (found.model.name, found.model.identity) == ("fake/model", "host-a")
    assert found.draw == {
        "attempt": 0, "index": 0, "kind": "propose", "role": "teacher", "round": 0, "run_seed": 7, "task": 0
    }  # fmt: skip
    assert found.request["max_tokens"] == 64
    assert found.reply is not None
    assert found.reply["texts"] == ["because"]
    text = found.render()
    for piece in (key, "fake/model", "host-a", "task 0", "run run-1", "10 + 5 tokens", "[user]", "Why?", "because"):
        assert piece in text, piece
    assert "no other request is near" in text


async def test_a_miss_is_explained_by_the_field_that_differs(path: Path) -> None:
    first = await ask(path)
    other = await ask(path, run="run-2", seed=8)
    found = explain(path, other)
    assert found.run == "run-2"
    assert found.nearest[0].key == first
    assert fields(found) == [["draw.run_seed"]]
    assert "draw.run_seed: 8  ≠  7" in found.render()


async def test_a_changed_prompt_is_shown_where_it_changes(path: Path) -> None:
    await ask(path, text="Tell me about lighthouses, please")
    other = await ask(path, text="Tell me about lightships, please")
    difference = explain(path, other).nearest[0].differences[0]
    assert difference.field == "messages[1].content from character 19"
    assert difference.here.startswith("'ships")
    assert difference.there.startswith("'houses")


async def test_the_nearest_stand_first_and_far_ones_are_summed_up(path: Path) -> None:
    for task in range(1, 30):
        await ask(path, task=task, text=f"Question {task}")
    near = await ask(path, seed=9, task=50)
    key = await ask(path, task=50)
    found = explain(path, key)
    assert len(found.nearest) == 3
    assert found.nearest[0].key == near
    assert fields(found)[0] == ["draw.run_seed"]


async def test_another_frame_and_other_messages_are_named(path: Path) -> None:
    async with seating(path, FakeBackend(lambda request: '{"verdict": "yes", "reason": ""}')) as seats:
        model = await seats.seat("teacher", SPEC)
        await model.ask(question(0))
        longer = replace(question(0, schema=VERDICT), messages=(*question().messages, user("More.")))
        key = (await model.ask(longer)).turn.keys[0]
    found = explain(path, key)
    assert fields(found) == [["messages[2]", "schema"]]
    assert "(absent)" in found.render()


async def test_a_cut_off_answer_is_called_none(path: Path) -> None:
    backend = FakeBackend(lambda request: reply('{"verdict', finish="length"))
    async with seating(path, backend) as seats:
        with pytest.raises(Exception, match="cut off") as caught:
            await (await seats.seat("teacher", SPEC)).ask(question())
    key = caught.value.turn.keys[0]  # type: ignore[attr-defined]
    assert explain(path, key).truncated
    assert "it is no answer" in explain(path, key).render()
    assert stats(path).truncated == 1


async def test_a_failed_request_can_be_explained_too(path: Path) -> None:
    def tell(request: ChatRequest) -> str:
        raise RequestError("too long", "context_overflow")

    async with seating(path, FakeBackend(tell)) as seats:
        with pytest.raises(RequestError):
            await (await seats.seat("teacher", SPEC)).ask(question())
    await ask(path.with_name("other"))
    key = await ask(path.with_name("other"))
    found = explain(path, key)
    assert found.failure == "context_overflow: too long"
    assert "only a replay follows it" in found.render()


async def test_unknown_ambiguous_and_impossible_keys_are_said(path: Path) -> None:
    keys = [await ask(path, task=task) for task in range(20)]
    start = next(key[0] for key in keys if sum(other[0] == key[0] for other in keys) > 1)
    with pytest.raises(UsageError, match="several keys start with") as caught:
        explain(path, start)
    assert "give more digits" in caught.value.hint
    missing = next(f"{n:04x}" for n in range(65536) if not any(key.startswith(f"{n:04x}") for key in keys))
    with pytest.raises(UsageError, match="no request of this ledger"):
        explain(path, missing)
    for nonsense in ("", "  ", "draw", "12; drop"):
        with pytest.raises(UsageError, match="is no request key"):
            explain(path, nonsense)
