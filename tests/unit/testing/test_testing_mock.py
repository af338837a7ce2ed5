"""The mock server keeps what it says of itself."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.records import JsonObject
from symposia.testing import Faults, MockOpenAI, MockReply
from symposia.testing.answers import instance_of, logprobs_of, rng_of, text_of

BODY: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "Hello."}], "seed": 1}


async def post(base_url: str, body: Any, path: str = "/chat/completions", **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(base_url + path, data=orjson.dumps(body), headers=headers) as response,
    ):
        return response.status, orjson.loads(await response.read())


def text_in(answer: Any, number: int = 0) -> str:
    return str(answer["choices"][number]["message"]["content"])


async def test_an_answer_depends_on_the_request_alone() -> None:
    texts = []
    for seed in (1, 2):
        async with MockOpenAI(seed=seed, latency_s=0.01) as mock:
            texts.append(text_in((await post(mock.base_url, BODY))[1]))
            texts.append(text_in((await post(mock.base_url, BODY))[1]))
            other = text_in((await post(mock.base_url, {**BODY, "seed": 2}))[1])
    assert len(set(texts)) == 1
    assert other != texts[0]


async def test_several_replies_differ_and_a_limit_cuts() -> None:
    async with MockOpenAI() as mock:
        _, several = await post(mock.base_url, {**BODY, "n": 3})
        assert len({text_in(several, number) for number in range(3)}) == 3
        _, cut = await post(mock.base_url, {**BODY, "max_tokens": 2})
        assert cut["choices"][0]["finish_reason"] == "length"
        assert len(text_in(cut).split()) == 2
        _, stopped = await post(mock.base_url, {**BODY, "stop": [" "]})
        assert " " not in text_in(stopped)


async def test_a_schema_is_answered_with_an_instance() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 3}},
        "required": ["a"],
    }
    form: JsonObject = {"type": "json_schema", "json_schema": {"name": "S", "schema": schema}}
    async with MockOpenAI() as mock:
        _, answer = await post(mock.base_url, {**BODY, "response_format": form})
        jsonschema.validate(orjson.loads(text_in(answer)), schema)


async def test_an_answer_may_be_a_text_a_value_a_list_or_a_whole_reply() -> None:
    said: list[Any] = ["Paris.", {"a": 1}, ["x", "y"], MockReply(418, {"error": {"message": "tea"}})]

    async def answer(body: JsonObject) -> Any:
        return said.pop(0)

    async with MockOpenAI(answer) as mock:
        assert text_in((await post(mock.base_url, BODY))[1]) == "Paris."
        assert text_in((await post(mock.base_url, BODY))[1]) == '{"a":1}'
        assert text_in((await post(mock.base_url, {**BODY, "n": 2}))[1], 1) == "y"
        assert (await post(mock.base_url, BODY))[0] == 418


async def test_it_counts_requests_answers_and_concurrency() -> None:
    async with MockOpenAI(latency_s=0.1, jitter=0.0) as mock:
        await asyncio.gather(*(post(mock.base_url, {**BODY, "seed": seed % 5}) for seed in range(10)))
        assert (mock.requests, mock.max_in_flight, mock.in_flight) == (10, 10, 0)
        assert sorted(mock.answered.values()) == [2] * 5
        assert len(mock.bodies) == 10
        stats = f"http://127.0.0.1:{mock.port}/mock/stats"
        async with aiohttp.ClientSession() as session, session.get(stats) as response:
            seen = await response.json()
        assert (seen["requests"], seen["answered"], seen["answered_twice"]) == (10, 10, 5)


async def test_faults_hit_their_share_and_pass_when_tried_again() -> None:
    async with MockOpenAI(faults=Faults(server_error=0.3, rate_limited=0.2), seed=3) as mock:
        counts = {200: 0, 429: 0, 500: 0}
        for seed in range(150):
            status, _ = await post(mock.base_url, {**BODY, "seed": seed})
            counts[status] += 1
        assert 25 < counts[500] < 65
        assert 15 < counts[429] < 50
        for _ in range(40):
            if (await post(mock.base_url, BODY))[0] == 200:
                break
        else:
            pytest.fail("a request is hit for ever")


async def test_the_same_seed_hits_the_same_requests() -> None:
    runs = []
    for _ in range(2):
        async with MockOpenAI(faults=Faults(server_error=0.5), seed=9) as mock:
            runs.append([(await post(mock.base_url, {**BODY, "seed": seed}))[0] for seed in range(20)])
    assert runs[0] == runs[1]


async def test_keys_models_and_lengths_are_checked() -> None:
    async with MockOpenAI(key="k", models=("m",), max_model_len=20) as mock:
        right = {"Authorization": "Bearer k"}
        assert (await post(mock.base_url, BODY))[0] == 401
        assert (await post(mock.base_url, BODY, **right))[0] == 200
        assert (await post(mock.base_url, {**BODY, "model": "x"}, **right))[0] == 404
        status, answer = await post(mock.base_url, {**BODY, "max_tokens": 50}, **right)
        assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
        assert (await post(mock.base_url, [1], **right))[0] == 400


async def test_it_runs_as_a_process_and_ends_on_a_signal() -> None:
    command = ["-W", "error", "-m", "symposia.testing.mock_openai", "--model", "m", "--key", "k"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        said = json.loads(await process.stdout.readline())
        assert said["base_url"] == f"http://127.0.0.1:{said['port']}/v1"
        assert (await post(said["base_url"], BODY, Authorization="Bearer k"))[0] == 200
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "string", "minLength": 3, "maxLength": 9},
            {"type": "integer"},
            {"type": "integer", "minimum": 1, "maximum": 10},
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "boolean"},
            {"type": "null"},
            {"type": ["string", "null"]},
            {"enum": ["a", 1, None]},
            {"const": "x"},
        ]
    ),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items, "minItems": 1, "maxItems": 4}, inner)
        | st.builds(lambda members: {"anyOf": members}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(
            lambda properties: {
                "type": "object",
                "properties": properties,
                "required": sorted(properties),
                "additionalProperties": False,
            },
            st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        )
    ),
    max_leaves=8,
)


@given(SCHEMAS, st.integers(0, 2**32))
def test_an_instance_follows_its_schema(schema: JsonObject, seed: int) -> None:
    value = instance_of(schema, rng_of(seed))
    jsonschema.Draft202012Validator(schema).validate(value)
    assert instance_of(schema, rng_of(seed)) == value


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_written_word_is_the_likeliest(seed: int, top: int) -> None:
    text = text_of(rng_of(seed))
    entries: list[Any] = list(logprobs_of(text, top))
    assert [entry["token"] for entry in entries] == text.split()
    for entry in entries:
        listed = entry["top_logprobs"]
        assert len(listed) == top
        assert listed[0]["logprob"] == entry["logprob"] == max(one["logprob"] for one in listed)
