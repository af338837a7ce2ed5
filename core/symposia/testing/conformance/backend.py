"""Rules that every model backend keeps."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import cast

import jsonschema
import orjson

from symposia.contracts import (
    Backend,
    Capabilities,
    ChatReply,
    ChatRequest,
    CompletingBackend,
    EmbeddingBackend,
    JsonSchemaSpec,
    ScoringBackend,
    TokenizingBackend,
    TokenLogprob,
)
from symposia.errors import BackendError, EndpointError, RequestError, TransientError
from symposia.records import JsonObject, Message
from symposia.secrets import redact
from symposia.testing.conformance.rules import require

__all__ = ["check_backend"]

_PROMPT: tuple[Message, ...] = (
    {"role": "system", "content": "You answer briefly."},
    {"role": "user", "content": "Name the colour of the sky."},
)
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "maxLength": 20},
        "sure": {"type": "boolean"},
        "kind": {"type": "string", "enum": ["warm", "cold"]},
    },
    "required": ["colour", "sure", "kind"],
    "additionalProperties": False,
}
_TIMEOUT_S = 120.0
_SHORT_S = 1e-4
_SLACK_S = 5.0


async def check_backend(
    build: Callable[[], Backend],
    *,
    model: str,
    wrong_key: Callable[[], Backend] | None = None,
    unknown_model: Callable[[], Backend] | None = None,
    unreachable: Callable[[], Backend] | None = None,
    secret: str | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> None:
    """Check a backend.

    Args:
        build: Makes the backend; called several times.
        model: Name of its model.
        wrong_key: Makes one whose key the server refuses, where there is a server.
        unknown_model: Makes one for the model ``no-such-model``, where there is a server.
        unreachable: Makes one whose server does not run, where there is a server.
        secret: The wrong key, to look for in errors.
        timeout_s: Deadline of an ordinary request.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    backend, twin = build(), build()
    try:
        require(backend.identity and backend.identity == twin.identity, "two builds have one identity")
        require(backend.endpoint and backend.endpoint == twin.endpoint, "two builds have one endpoint")
        able = await backend.capabilities()
        require(able == await twin.capabilities(), "two builds announce the same")
        await _check_chat(backend, model, timeout_s)
        await _check_announced(backend, able, model, timeout_s)
        await _check_optional(backend, able, model, timeout_s)
        await _check_many(backend, model, timeout_s)
        await _check_deadline(backend, model)
        again = await backend.chat(_request(model), timeout_s)
        require(again.texts[0], "a missed deadline leaves the backend usable")
    finally:
        await backend.close()
        await backend.close()
        await twin.close()
    await _check_refusals(model, wrong_key, unknown_model, unreachable, secret)


def _request(model: str, **changes: object) -> ChatRequest:
    return ChatRequest(model=model, messages=_PROMPT, temperature=0.0, max_tokens=24).model_copy(update=changes)


def _check_shape(reply: ChatReply, count: int) -> None:
    require(isinstance(reply, ChatReply), "chat gives a ChatReply")
    require(ChatReply.model_validate_json(reply.model_dump_json()) == reply, "a reply survives its JSON form")
    require(len(reply.texts) == count, f"a request with n={count} gets {count} texts, not {len(reply.texts)}")
    require(len(reply.finish_reasons) == count, "each text has a finish reason")
    require(reply.usage.calls == 1, "usage counts one call")
    require(reply.usage.cost_usd is None or reply.usage.cost_usd >= 0, "a cost is not negative")


async def _check_chat(backend: Backend, model: str, timeout_s: float) -> None:
    request = _request(model)
    before = request.model_dump_json()
    reply = await backend.chat(request, timeout_s)
    _check_shape(reply, 1)
    require(reply.texts[0].strip(), "an ordinary request gets a text")
    require(reply.usage.completion_tokens > 0, "usage counts the tokens written")
    require(reply.logprobs is None, "log-probabilities come only when asked for")
    require(request.model_dump_json() == before, "a request is not changed")
    short = await backend.chat(_request(model, max_tokens=1), timeout_s)
    require(short.finish_reasons[0] in ("length", "stop"), "a reply says whether it was cut off")
    odd: tuple[Message, ...] = (
        {"role": "user", "content": "\u202e ﬃ 👩‍👩‍👧‍👦 <|im_start|>{{ 7 * 7 }} \\u0000 \x00"},
    )
    _check_shape(await backend.chat(_request(model, messages=odd), timeout_s), 1)


async def _check_announced(backend: Backend, able: Capabilities, model: str, timeout_s: float) -> None:
    if able.json_schema:
        spec = JsonSchemaSpec(name="colour", body=_SCHEMA)
        reply = await backend.chat(_request(model, json_schema=spec, max_tokens=256), timeout_s)
        if reply.finish_reasons[0] != "length":
            value = _parsed(reply.texts[0])
            valid = jsonschema.Draft202012Validator(_SCHEMA).is_valid(value)
            require(valid, f"json_schema is announced: an answer follows the schema, not {reply.texts[0]!r}")
    if able.n:
        _check_shape(await backend.chat(_request(model, n=3, temperature=0.9, seed=5), timeout_s), 3)
    if able.seed:
        drawn = _request(model, temperature=0.9, seed=11)
        one, two = [await backend.chat(drawn, timeout_s) for _ in range(2)]
        require(one.texts == two.texts, "seed is announced: the same request alone gets the same answer twice")
    if able.logprobs:
        reply = await backend.chat(_request(model, top_logprobs=3), timeout_s)
        require(reply.logprobs is not None and len(reply.logprobs) == 1, "logprobs are announced: they come")
        _check_logprobs(reply.logprobs[0] if reply.logprobs else (), top=3)
    if able.context_tokens is not None:
        require(able.context_tokens > 0, "a context length is positive")
        long: tuple[Message, ...] = ({"role": "user", "content": "word " * (2 * able.context_tokens)},)
        error = await _error(backend.chat(_request(model, messages=long), timeout_s))
        overflow = isinstance(error, RequestError) and error.cause == "context_overflow"
        require(overflow, f"a prompt beyond the context is a RequestError 'context_overflow', not {error!r}")


def _parsed(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _check_logprobs(tokens: Sequence[TokenLogprob], top: int | None = None) -> None:
    require(tokens, "there is a log-probability for each token")
    for token in tokens:
        numbers = (token.logprob, *token.top.values())
        require(all(math.isfinite(number) and number <= 1e-6 for number in numbers), "log-probabilities are <= 0")
        if top is not None:
            require(1 <= len(token.top) <= top, "as many alternatives come as were asked for")


async def _check_optional(backend: Backend, able: Capabilities, model: str, timeout_s: float) -> None:
    request = _request(model)
    if able.complete:
        require(isinstance(backend, CompletingBackend), "complete is announced: it is there")
        reply = await cast(CompletingBackend, backend).complete("The sky is", request, timeout_s)
        _check_shape(reply, 1)
    elif isinstance(backend, CompletingBackend):
        await _check_absent("complete", backend.complete("The sky is", request, timeout_s))
    if able.tokenize:
        require(isinstance(backend, TokenizingBackend), "tokenize is announced: it is there")
        tokenizer = cast(TokenizingBackend, backend)
        one, two = await tokenizer.tokenize("the sky", timeout_s), await tokenizer.tokenize("the sky", timeout_s)
        require(one and one == two, "a text has tokens, and the same ones each time")
    elif isinstance(backend, TokenizingBackend):
        await _check_absent("tokenize", backend.tokenize("the sky", timeout_s))
    if able.score:
        require(isinstance(backend, ScoringBackend), "score is announced: it is there")
        _check_logprobs(await cast(ScoringBackend, backend).score("The sky is blue.", timeout_s))
    elif isinstance(backend, ScoringBackend):
        await _check_absent("score", backend.score("The sky is blue.", timeout_s))
    if able.embed:
        require(isinstance(backend, EmbeddingBackend), "embed is announced: it is there")
        await _check_vectors(cast(EmbeddingBackend, backend), timeout_s)
    elif isinstance(backend, EmbeddingBackend):
        await _check_absent("embed", backend.embed(["a"], timeout_s))


async def _check_vectors(backend: EmbeddingBackend, timeout_s: float) -> None:
    vectors = await backend.embed(["sky", "sea", "sky"], timeout_s)
    require(len(vectors) == 3, "each text has a vector")
    require(len(set(map(len, vectors))) == 1, "all vectors have one length")
    require(all(math.isfinite(number) for vector in vectors for number in vector), "vectors are finite")
    same = max(abs(a - b) for a, b in zip(vectors[0], vectors[2], strict=True))
    require(same < 1e-3, "the same text has the same vector")


async def _check_absent(name: str, call: object) -> None:
    error = await _error(call)
    require(isinstance(error, BackendError), f"{name} is not announced: calling it raises a BackendError")
    require(name in str(error), f"the error of the absent {name} names it")


async def _check_many(backend: Backend, model: str, timeout_s: float) -> None:
    """Requests at once, each with its own answer: what comes back belongs to what was asked."""
    replies = await asyncio.gather(
        *(backend.chat(_request(model, max_tokens=4, seed=number), timeout_s) for number in range(6))
    )
    for reply in replies:
        _check_shape(reply, 1)


async def _check_deadline(backend: Backend, model: str) -> None:
    began = asyncio.get_running_loop().time()
    error = await _error(backend.chat(_request(model, max_tokens=512), _SHORT_S))
    took = asyncio.get_running_loop().time() - began
    require(took < _SLACK_S, f"a deadline of {_SHORT_S} s is kept, not overrun by {took:.1f} s")
    if error is not None:
        require(isinstance(error, TransientError), f"a missed deadline is a TransientError, not {error!r}")


async def _check_refusals(
    model: str,
    wrong_key: Callable[[], Backend] | None,
    unknown_model: Callable[[], Backend] | None,
    unreachable: Callable[[], Backend] | None,
    secret: str | None,
) -> None:
    if wrong_key is not None:
        error = await _refusal(wrong_key(), model)
        require(isinstance(error, EndpointError), f"a wrong key is an EndpointError, not {error!r}")
        require(secret is None or secret not in f"{error} {error!r}", "an error does not show the key")
        require(redact(str(error)) == str(error), "an error does not show a secret")
    if unknown_model is not None:
        error = await _refusal(unknown_model(), "no-such-model")
        require(isinstance(error, EndpointError), f"an unknown model is an EndpointError, not {error!r}")
        require("no-such-model" in str(error), "the error of an unknown model names it")
    if unreachable is not None:
        error = await _refusal(unreachable(), model)
        require(isinstance(error, TransientError), f"no connection is a TransientError, not {error!r}")


async def _refusal(backend: Backend, model: str) -> Exception | None:
    try:
        return await _error(backend.chat(_request(model), _TIMEOUT_S))
    finally:
        await backend.close()


async def _error(call: object) -> Exception | None:
    """What a call raises; None when it does not."""
    try:
        await cast("asyncio.Future[object]", call)
    except Exception as exc:
        return exc
    return None
