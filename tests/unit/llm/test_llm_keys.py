"""The key of a request."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.llm import PROMPT
from symposia.contracts import ChatRequest, JsonSchemaSpec
from symposia.llm.keys import UNDRAWN, Draw, LogicalModel, pieces_of, sampling_seed
from symposia.records import JsonObject, JsonValue

MODEL = LogicalModel.of("vllm", "org/model", "host-a")
DRAW = Draw(7, 3, "teacher", "propose", 0, 0, 0)
REQUEST = ChatRequest(model="org/model", messages=PROMPT)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_lowercase), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
objects = st.dictionaries(st.text(string.ascii_lowercase, min_size=1), values, max_size=5)


def shuffled(value: JsonValue, order: random.Random) -> JsonValue:
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        names = list(value)
        order.shuffle(names)
        return {name: shuffled(value[name], order) for name in names}
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    return value


@settings(max_examples=40)
@given(options=objects, body=objects, order=st.randoms(use_true_random=False))
def test_key_does_not_depend_on_the_order_of_fields(
    options: JsonObject, body: JsonObject, order: random.Random
) -> None:
    def key(options: JsonValue, body: JsonValue) -> str:
        assert isinstance(options, dict)
        assert isinstance(body, dict)
        spec = JsonSchemaSpec(name="s", body=body)
        request = REQUEST.model_copy(update={"options": options, "json_schema": spec})
        return pieces_of(request, MODEL, DRAW).key

    assert key(options, body) == key(shuffled(options, order), shuffled(body, order))


@settings(max_examples=40)
@given(
    name=st.sampled_from(
        ["api_key", "apiKey", "api-key", "Authorization", "extra_headers", "headers", "aws_session_token",
         "password", "client_secret", "azure_ad_token", "api_base", "base_url", "port", "replica", "user"]
    ),
    value=values,
    inside=st.booleans(),
)  # fmt: skip
def test_credentials_and_addresses_are_no_part_of_a_key(name: str, value: JsonValue, inside: bool) -> None:
    secret: JsonObject = {name: value}
    options: JsonObject = {"top_k": 5, "extra_body": secret} if inside else {"top_k": 5, **secret}
    plain: JsonObject = {"top_k": 5, "extra_body": {}} if inside else {"top_k": 5}
    given_ = pieces_of(REQUEST.model_copy(update={"options": options}), MODEL, DRAW)
    without = pieces_of(REQUEST.model_copy(update={"options": plain}), MODEL, DRAW)
    assert given_.key == without.key
    assert name not in given_.frame


def test_options_that_merely_sound_like_credentials_count() -> None:
    for name in ("max_tokens", "min_tokens", "skip_special_tokens", "stop_token_ids", "logit_bias", "authority"):
        with_option = REQUEST.model_copy(update={"options": {name: 3}})
        assert pieces_of(with_option, MODEL, DRAW).key != pieces_of(REQUEST, MODEL, DRAW).key, name


@settings(max_examples=40)
@given(port=st.integers(1, 65535), other=st.integers(1, 65535), user=st.text(string.ascii_letters, min_size=1))
def test_a_model_is_the_same_at_every_port_and_for_every_user(port: int, other: int, user: str) -> None:
    one = LogicalModel.of("vllm", "m", f"http://host:{port}/v1")
    assert one == LogicalModel.of("vllm", "m", f"http://{user}:pw@host:{other}/v1/?key={user}")
    assert LogicalModel.of("vllm", "m", f"host:{port}") == LogicalModel.of("vllm", "m", f"host:{other}")
    assert one != LogicalModel.of("vllm", "m", f"http://elsewhere:{port}/v1")


def test_a_digest_is_not_taken_for_an_address() -> None:
    digest = "sha256:" + "12345678" * 8
    assert LogicalModel.of("local", "m", digest).identity == digest


def test_the_requests_own_model_name_and_seed_are_not_read() -> None:
    other = REQUEST.model_copy(update={"model": "alias", "seed": 99})
    assert pieces_of(other, MODEL, DRAW).key == pieces_of(REQUEST, MODEL, DRAW).key


@pytest.mark.parametrize(
    "update",
    [
        {"messages": (*PROMPT, {"role": "assistant", "content": "."})},
        {"temperature": 0.1},
        {"top_p": 0.5},
        {"max_tokens": 5},
        {"n": 2},
        {"stop": ("x",)},
        {"json_schema": JsonSchemaSpec(name="s", body={})},
        {"tools": ({"type": "function"},)},
        {"top_logprobs": 0},
        {"options": {"top_k": 1}},
    ],
)
def test_whatever_is_asked_is_in_the_key(update: dict[str, object]) -> None:
    assert pieces_of(REQUEST.model_copy(update=update), MODEL, DRAW).key != pieces_of(REQUEST, MODEL, DRAW).key


draws = st.builds(
    Draw,
    st.integers(0, 2**63),
    st.integers(0, 10**6),
    st.sampled_from(["teacher", "critic", "judge:a"]),
    st.sampled_from(["propose", "revise"]),
    st.integers(0, 20),
    st.integers(0, 3),
    st.integers(0, 50),
    st.integers(0, 8),
)


@settings(max_examples=40)
@given(one=draws, other=draws)
def test_different_draws_have_different_keys_and_equal_ones_the_same(one: Draw, other: Draw) -> None:
    same = pieces_of(REQUEST, MODEL, one).key == pieces_of(REQUEST, MODEL, other).key
    assert same == (one == other)


@settings(max_examples=40)
@given(one=draws, other=draws)
def test_at_temperature_0_nothing_is_drawn(one: Draw, other: Draw) -> None:
    greedy = REQUEST.model_copy(update={"temperature": 0})
    first = pieces_of(greedy, MODEL, one)
    assert first.key == pieces_of(greedy, MODEL, other).key
    assert first.draw == UNDRAWN
    assert sampling_seed(first.draw) is None


@settings(max_examples=40)
@given(draws)
def test_a_sampling_seed_fits_31_bits_and_follows_from_the_draw(draw: Draw) -> None:
    seed = sampling_seed(draw.canonical(0.7))
    assert seed is not None
    assert 0 <= seed < 2**31
    assert seed == sampling_seed(draw.canonical(1.5))


def test_a_key_never_changes_between_versions() -> None:
    """A new key for an old request would pay for every answer again."""
    spec = JsonSchemaSpec(name="s", body={"type": "object"})
    request = REQUEST.model_copy(update={"json_schema": spec, "options": {"top_k": 5}})
    assert pieces_of(request, MODEL, DRAW).key == "34e736eca4cee227037e20162432093bc5cd1ff53e1ce5ccecb31fd71aa30654"
