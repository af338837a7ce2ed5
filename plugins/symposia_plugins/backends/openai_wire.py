"""The OpenAI wire format: a `ChatRequest` as a JSON body, and a JSON answer as a `ChatReply`.

This is the hot path of every run, so an answer is checked by hand for its shape and not validated by a model class.
"""

from __future__ import annotations

from typing import Any, Never

import orjson

from symposia.contracts import ChatReply, ChatRequest, TokenLogprob
from symposia.errors import EndpointError, RequestError, TransientError
from symposia.records import JsonObject, Usage

__all__ = [
    "OURS",
    "chat_body",
    "completion_body",
    "parse_chat",
    "parse_completion",
    "parse_embeddings",
    "parse_prompt_logprobs",
]

OURS = frozenset({"model", "messages", "prompt", "n", "stream", "response_format", "logprobs", "top_logprobs"})
"""What a request says itself; options that say it too would make the ledger lie."""


def chat_body(request: ChatRequest) -> bytes:
    """The body of ``POST /chat/completions``.

    Options are merged in last. One that is null takes its setting out, for servers that refuse it: a model that
    wants ``max_completion_tokens`` is asked with ``{max_tokens: null, max_completion_tokens: 500}``.

    Raises:
        EndpointError: An option names something that is the request's own.
    """
    body: dict[str, Any] = {"model": request.model, "messages": request.messages, **_sampling(request)}
    if request.json_schema is not None:
        schema = request.json_schema
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": schema.name, "schema": schema.body, "strict": _is_strict(schema.body)},
        }
    if request.tools:
        body["tools"] = request.tools
    if request.top_logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = request.top_logprobs
    return _dump(body, request.options)


def completion_body(prompt: str, request: ChatRequest, **more: Any) -> bytes:
    """The body of ``POST /completions``: the bare continuation of a prompt."""
    body: dict[str, Any] = {"model": request.model, "prompt": prompt, **_sampling(request), **more}
    if request.top_logprobs is not None:
        body["logprobs"] = request.top_logprobs
    return _dump(body, request.options)


def _sampling(request: ChatRequest) -> dict[str, Any]:
    settings: dict[str, Any] = {"temperature": request.temperature, "max_tokens": request.max_tokens}
    if request.top_p is not None:
        settings["top_p"] = request.top_p
    if request.n != 1:
        settings["n"] = request.n
    if request.seed is not None:
        settings["seed"] = request.seed
    if request.stop:
        settings["stop"] = request.stop
    return settings


def _dump(body: dict[str, Any], options: JsonObject) -> bytes:
    if options:
        clash = OURS.intersection(options)
        if clash:
            names = ", ".join(sorted(clash))
            raise EndpointError(f"the options of a role may not set {names}", "take them out of `options`")
        body.update(options)
        body = {key: value for key, value in body.items() if key not in options or value is not None}
    try:
        return orjson.dumps(body)
    except TypeError as exc:
        raise RequestError(f"the request has no JSON form: {exc}", cause="not_unicode") from exc


def _is_strict(schema: Any) -> bool:
    """Whether every object lists all its properties as required and allows no others.

    OpenAI refuses a schema marked strict that does not; other servers constrain decoding either way.
    """
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if isinstance(properties, dict):
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties):
            return False
        return all(map(_is_strict, properties.values()))
    if schema.get("type") == "object":
        return False
    return all(_is_strict(value) for value in schema.values() if isinstance(value, dict | list))


def parse_chat(data: bytes, request: ChatRequest) -> ChatReply:
    """The reply in the body of a chat completion.

    A message without content has the empty text, or the text of its refusal. Reasoning fields are not content.

    Raises:
        TransientError: The body is no chat completion, or the server broke the answer off.
        EndpointError: The server ignored ``n``, or what answers is no API.
        RequestError: A content filter took the answer away.
    """
    answer = _load(data, "chat completion")
    choices = _choices(answer, request.n)
    texts, reasons, calls = [], [], []
    for choice in choices:
        message = choice.get("message")
        if not isinstance(message, dict):
            _misshapen("a choice has no message", data)
        texts.append(_text(message, data))
        reasons.append(_reason(choice))
        called = message.get("tool_calls")
        calls.append(tuple(one for one in called if isinstance(one, dict)) if isinstance(called, list) else ())
    return ChatReply.model_construct(
        texts=tuple(texts),
        finish_reasons=tuple(reasons),
        usage=_usage(answer),
        logprobs=_logprobs(choices, data) if request.top_logprobs is not None else None,
        tool_calls=tuple(calls) if any(calls) else None,
        model_version=_version(answer),
    )


def parse_completion(data: bytes, request: ChatRequest) -> ChatReply:
    """The reply in the body of a bare completion; raises as `parse_chat` does."""
    answer = _load(data, "completion")
    choices = _choices(answer, request.n)
    texts = []
    for choice in choices:
        text = choice.get("text")
        if not isinstance(text, str):
            _misshapen("a choice has no text", data)
        texts.append(text)
    return ChatReply.model_construct(
        texts=tuple(texts),
        finish_reasons=tuple(map(_reason, choices)),
        usage=_usage(answer),
        logprobs=_logprobs(choices, data) if request.top_logprobs is not None else None,
        tool_calls=None,
        model_version=_version(answer),
    )


def parse_embeddings(data: bytes, count: int) -> list[list[float]]:
    """The vectors in the body of an embeddings answer, in the order of the texts.

    Raises:
        TransientError: The body does not hold ``count`` vectors.
    """
    rows: Any = _load(data, "list of embeddings").get("data")
    try:
        vectors = [list(map(float, row["embedding"])) for row in sorted(rows, key=lambda row: row["index"])]
    except (TypeError, KeyError, ValueError):
        _misshapen("its data is no list of embeddings", data)
    if len(vectors) != count:
        _misshapen(f"it holds {len(vectors)} vectors for {count} texts", data)
    return vectors


def parse_prompt_logprobs(data: bytes) -> tuple[TokenLogprob, ...]:
    """The log-probabilities of a prompt's own tokens; the first has none, for nothing stands before it.

    Raises:
        TransientError: The body holds none.
    """
    listed = _choices(_load(data, "completion"), 1)[0].get("prompt_logprobs")
    if not isinstance(listed, list):
        _misshapen("it has no prompt_logprobs", data)
    try:
        own = [next(iter(entry.values())) for entry in listed if entry]
        return tuple(TokenLogprob(token=one["decoded_token"], logprob=one["logprob"]) for one in own)
    except (TypeError, KeyError, ValueError, AttributeError):
        _misshapen("its prompt_logprobs are misshapen", data)


def parse_tokens(data: bytes) -> list[int]:
    """The token ids in the body of a tokenizer's answer.

    Raises:
        TransientError: The body holds none.
    """
    tokens = _load(data, "list of tokens").get("tokens")
    if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
        _misshapen("it has no tokens", data)
    return tokens


# -- pieces of an answer ----------------------------------------------------------------------------------------


def _load(data: bytes, what: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        if data.lstrip()[:1] == b"<":
            raise EndpointError(
                "the server answered with a web page where a JSON answer was expected",
                "check base_url: it should end where /chat/completions begins, mostly with /v1",
            ) from None
        raise TransientError(f"the server's answer is broken off or no JSON: {exc}") from exc
    if not isinstance(answer, dict):
        _misshapen(f"it is no {what}", data)
    return answer


def _choices(answer: dict[str, Any], count: int) -> list[dict[str, Any]]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(c, dict) for c in choices):
        _misshapen("it has no choices", orjson.dumps(answer))
    if len(choices) < count:
        raise EndpointError(
            f"the server gave {len(choices)} of {count} replies: it ignores `n`",
            "declare it: `n: false` among the parameters of the backend",
        )
    if count > 1:
        choices = sorted(choices, key=lambda choice: _count(choice.get("index")))
    return choices[:count]


def _text(message: dict[str, Any], data: bytes) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None:
        refusal = message.get("refusal")
        return refusal if isinstance(refusal, str) else ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
    _misshapen("the content of a message is no text", data)


def _reason(choice: dict[str, Any]) -> str:
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise RequestError("the endpoint's content filter took the answer away", cause="content_filter")
    if reason in ("error", "abort"):
        raise TransientError(f"the server broke the answer off ({reason})")
    return reason if isinstance(reason, str) else "unknown"


def _usage(answer: dict[str, Any]) -> Usage:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return Usage(calls=1, cost_usd=None)
    cost = usage.get("cost")
    return Usage(
        calls=1,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cost_usd=float(cost) if isinstance(cost, int | float) and cost >= 0 else None,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _version(answer: dict[str, Any]) -> str | None:
    model = answer.get("model")
    return model if isinstance(model, str) else None


def _logprobs(choices: list[dict[str, Any]], data: bytes) -> tuple[tuple[TokenLogprob, ...], ...] | None:
    given: list[Any] = [choice.get("logprobs") for choice in choices]
    if any(one is None for one in given):
        return None
    try:
        return tuple(_of_content(one["content"]) if "content" in one else _of_arrays(one) for one in given)
    except (TypeError, KeyError, ValueError, AttributeError):
        _misshapen("its logprobs are misshapen", data)


def _of_content(content: list[dict[str, Any]]) -> tuple[TokenLogprob, ...]:
    """The form of chat completions: one object a token."""
    return tuple(
        TokenLogprob(token=one["token"], logprob=one["logprob"], top=_top(one.get("top_logprobs") or ()))
        for one in content
    )


def _top(listed: Any) -> dict[str, float]:
    top: dict[str, float] = {}
    for one in listed:
        # Two tokens may have one text, as pieces of a character do; the likelier stands first.
        top.setdefault(one["token"], one["logprob"])
    return top


def _of_arrays(given: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    """The form of bare completions: an array of tokens beside one of log-probabilities."""
    tops = given.get("top_logprobs") or [None] * len(given["tokens"])
    return tuple(
        TokenLogprob(token=token, logprob=logprob, top=top or {})
        for token, logprob, top in zip(given["tokens"], given["token_logprobs"], tops, strict=True)
    )


def _misshapen(why: str, data: bytes) -> Never:
    shown = data[:200].decode(errors="replace")
    raise TransientError(f"the server's answer can't be read: {why}: {shown}")
