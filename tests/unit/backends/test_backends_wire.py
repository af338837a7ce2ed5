"""The wire format: requests as bodies, bodies as replies."""

from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.contracts import ChatReply, ChatRequest, JsonSchemaSpec
from symposia.errors import BackendError, EndpointError, RequestError
from symposia.records import JsonObject
from symposia_plugins.backends.openai_wire import (
    chat_body,
    completion_body,
    parse_chat,
    parse_completion,
    parse_embeddings,
    parse_prompt_logprobs,
    parse_tokens,
)

PLAIN = ChatRequest(model="m", messages=({"role": "user", "content": "Hi."},), temperature=0.0, max_tokens=9)


def body_of(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(chat_body(PLAIN.model_copy(update=changes)))
    return body


def answer(*texts: str, **more: Any) -> bytes:
    choices = [
        {"index": place, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        for place, text in enumerate(texts)
    ]
    return orjson.dumps({"choices": choices, **more})


def test_a_plain_request_says_no_more_than_it_must() -> None:
    assert body_of() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi."}],
        "temperature": 0.0,
        "max_tokens": 9,
    }


def test_every_setting_is_sent() -> None:
    schema: JsonObject = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tool: JsonObject = {"type": "function", "function": {"name": "f"}}
    body = body_of(
        top_p=0.5,
        n=3,
        seed=7,
        stop=("x", "y"),
        json_schema=JsonSchemaSpec(name="A", body=schema),
        tools=(tool,),
        top_logprobs=0,
        options={"min_p": 0.1, "chat_template_kwargs": {"enable_thinking": False}},
    )
    assert body["top_p"] == 0.5
    assert body["n"] == 3
    assert body["seed"] == 7
    assert body["stop"] == ["x", "y"]
    assert body["tools"] == [tool]
    assert body["logprobs"] is True
    assert body["top_logprobs"] == 0
    assert body["min_p"] == 0.1
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "A", "schema": schema, "strict": False},
    }


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        (
            {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"b": {}}}]}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
        ),
    ],
)
def test_a_schema_is_strict_when_it_leaves_nothing_open(schema: JsonObject, strict: bool) -> None:
    body = body_of(json_schema=JsonSchemaSpec(name="A", body=schema))
    assert body["response_format"]["json_schema"]["strict"] is strict


def test_an_option_that_is_null_takes_its_setting_out() -> None:
    body = body_of(options={"max_tokens": None, "max_completion_tokens": 9, "temperature": None})
    assert "max_tokens" not in body
    assert "temperature" not in body
    assert body["max_completion_tokens"] == 9


@pytest.mark.parametrize("name", ["model", "messages", "n", "stream", "response_format"])
def test_an_option_may_not_say_what_the_request_says(name: str) -> None:
    with pytest.raises(EndpointError, match=name):
        body_of(options={name: "other"})


def test_half_a_surrogate_pair_has_no_json_form() -> None:
    with pytest.raises(RequestError) as caught:
        body_of(messages=({"role": "user", "content": "\ud800"},))
    assert caught.value.cause == "not_unicode"


def test_a_reply_is_read_whole() -> None:
    data = answer(
        "Hello.",
        model="m-1",
        usage={"prompt_tokens": 4, "completion_tokens": 2, "cost": 0.25, "prompt_tokens_details": None},
    )
    reply = parse_chat(data, PLAIN)
    assert reply == ChatReply.model_validate(reply.model_dump())
    assert reply.texts == ("Hello.",)
    assert reply.finish_reasons == ("stop",)
    assert (reply.usage.calls, reply.usage.prompt_tokens, reply.usage.completion_tokens) == (1, 4, 2)
    assert reply.usage.cost_usd == 0.25
    assert reply.model_version == "m-1"
    assert reply.logprobs is None
    assert reply.tool_calls is None


def test_an_unknown_price_stays_unknown() -> None:
    assert parse_chat(answer("a"), PLAIN).usage.cost_usd is None
    assert parse_chat(answer("a", usage={"cost": {"total": 1}}), PLAIN).usage.cost_usd is None
    assert parse_chat(answer("a", usage={"cost": 0}), PLAIN).usage.cost_usd == 0.0


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({"content": None, "refusal": "I can't."}, "I can't."),
        ({"content": None, "reasoning_content": "Let me think."}, ""),
        ({"content": "Yes.", "reasoning": "Because."}, "Yes."),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes."}]}, "Yes."),
        ({"content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}, ""),
    ],
)
def test_reasoning_and_tool_calls_are_not_content(message: JsonObject, text: str) -> None:
    reply = parse_chat(orjson.dumps({"choices": [{"message": message}]}), PLAIN)
    assert reply.texts == (text,)
    assert reply.finish_reasons == ("unknown",)
    called = message.get("tool_calls")
    assert reply.tool_calls == ((tuple(called),) if isinstance(called, list) else None)


def test_replies_stand_in_the_order_of_their_index() -> None:
    choices = [{"index": place, "message": {"content": str(place)}} for place in (2, 0, 1)]
    reply = parse_chat(orjson.dumps({"choices": choices}), PLAIN.model_copy(update={"n": 3}))
    assert reply.texts == ("0", "1", "2")


def test_a_server_that_ignores_n_is_found_out() -> None:
    with pytest.raises(EndpointError, match="ignores `n`"):
        parse_chat(answer("one"), PLAIN.model_copy(update={"n": 3}))


def test_logprobs_are_read_by_text_and_the_likelier_of_twins_wins() -> None:
    content = [
        {
            "token": "a",
            "logprob": -0.5,
            "top_logprobs": [
                {"token": "a", "logprob": -0.5},
                {"token": "\ufffd", "logprob": -1.0},
                {"token": "\ufffd", "logprob": -2.0},
            ],
        }
    ]
    data = orjson.dumps({"choices": [{"message": {"content": "a"}, "logprobs": {"content": content}}]})
    reply = parse_chat(data, PLAIN.model_copy(update={"top_logprobs": 3}))
    assert reply.logprobs is not None
    assert reply.logprobs[0][0].top == {"a": -0.5, "\ufffd": -1.0}
    assert parse_chat(data, PLAIN).logprobs is None


def test_logprobs_that_do_not_come_are_none() -> None:
    assert parse_chat(answer("a"), PLAIN.model_copy(update={"top_logprobs": 3})).logprobs is None


def test_a_completion_has_logprobs_in_arrays_or_objects() -> None:
    request = PLAIN.model_copy(update={"top_logprobs": 1})
    assert orjson.loads(completion_body("p", request))["logprobs"] == 1
    arrays = {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0], "top_logprobs": [{"a": -1.0}, None]}
    objects = {"content": [{"token": "a", "logprob": -1.0, "top_logprobs": []}]}
    for logprobs, count in ((arrays, 2), (objects, 1)):
        reply = parse_completion(orjson.dumps({"choices": [{"text": "ab", "logprobs": logprobs}]}), request)
        assert reply.logprobs is not None
        assert len(reply.logprobs[0]) == count
        assert reply.logprobs[0][0].logprob == -1.0


def test_vectors_stand_in_the_order_of_the_texts() -> None:
    rows = [{"index": 1, "embedding": [2, 3]}, {"index": 0, "embedding": [0, 1]}]
    assert parse_embeddings(orjson.dumps({"data": rows}), 2) == [[0.0, 1.0], [2.0, 3.0]]
    with pytest.raises(BackendError, match="2 vectors for 3"):
        parse_embeddings(orjson.dumps({"data": rows}), 3)


def test_prompt_logprobs_leave_out_the_token_that_has_none() -> None:
    listed = [None, {"5": {"logprob": -0.5, "decoded_token": " b"}}]
    scored = parse_prompt_logprobs(orjson.dumps({"choices": [{"text": "x", "prompt_logprobs": listed}]}))
    assert [(one.token, one.logprob) for one in scored] == [(" b", -0.5)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "usage", "logprobs", "index", "finish_reason", "text", "data"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.lists(JSON, max_size=3).map(lambda listed: {"choices": listed}))
def test_no_json_breaks_a_reader(value: Any) -> None:
    """Whatever a server sends, a reader gives a sound reply or one of our errors."""
    data = orjson.dumps(value)
    asked = PLAIN.model_copy(update={"top_logprobs": 2})
    twice = asked.model_copy(update={"n": 2})
    for read, request in product((parse_chat, parse_completion), (asked, twice)):
        try:
            reply = read(data, request)
        except BackendError:
            continue
        assert ChatReply.model_validate_json(reply.model_dump_json()) == reply
    for other in (
        lambda: parse_embeddings(data, 1),
        lambda: parse_prompt_logprobs(data),
        lambda: parse_tokens(data),
    ):
        try:
            other()
        except BackendError:
            continue


@given(st.binary(max_size=60))
def test_no_bytes_break_a_reader(data: bytes) -> None:
    with pytest.raises(BackendError):
        parse_chat(data, PLAIN)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_texts_come_through_unchanged(texts: list[str]) -> None:
    reply = parse_chat(answer(*texts), PLAIN.model_copy(update={"n": len(texts)}))
    assert list(reply.texts) == texts
