"""What models write is hostile: text and values are made fit for a record before anything else sees them."""

from __future__ import annotations

import math

from symposia.contracts import ChatReply, TokenLogprob
from symposia.records import JsonValue
from symposia.secrets import redact

__all__ = ["MAX_DEPTH", "clean_reply", "clean_text", "clean_value"]

MAX_DEPTH = 64
"""Deepest nesting of an answer; JSON writers give up at about 250, and no schema asks for a tenth of it."""

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_FLOOR = -9999.0
"""Stands for a log-probability of minus infinity, which JSON has no form for; vLLM uses the same number."""


def clean_text(text: str) -> str:
    """The text as valid Unicode without NUL: surrogate halves that stand alone and NUL become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_value(value: JsonValue, depth: int = 0) -> JsonValue:
    """A parsed value with its texts cleaned.

    Raises:
        ValueError: It is nested too deep, or holds a number that JSON has no exact form for.
    """
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise ValueError("a whole number is larger than 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and Infinity are not JSON")
        return value
    if depth >= MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {clean_text(key): clean_value(item, depth + 1) for key, item in value.items()}
    return [clean_value(item, depth + 1) for item in value]


def clean_reply(reply: ChatReply) -> ChatReply:
    """The reply as it is stored and used: clean text, secrets masked, finite numbers, counted as one call."""
    update: dict[str, object] = {}
    texts = tuple(redact(clean_text(text)) for text in reply.texts)
    if texts != reply.texts:
        update["texts"] = texts
    if len(reply.finish_reasons) != len(texts):
        update["finish_reasons"] = (*reply.finish_reasons, *["stop"] * len(texts))[: len(texts)]
    if reply.usage.calls != 1:
        update["usage"] = reply.usage.model_copy(update={"calls": 1})
    if reply.logprobs is not None:
        update["logprobs"] = tuple(tuple(_clean_logprob(token) for token in tokens) for tokens in reply.logprobs)
    if reply.tool_calls is not None:
        update["tool_calls"] = tuple(
            tuple({clean_text(k): clean_value(v, 1) for k, v in call.items()} for call in calls)
            for calls in reply.tool_calls
        )
    return reply.model_copy(update=update) if update else reply


def _clean_logprob(token: TokenLogprob) -> TokenLogprob:
    return TokenLogprob(
        token=clean_text(token.token),
        logprob=_finite(token.logprob),
        top={clean_text(text): _finite(logprob) for text, logprob in token.top.items()},
    )


def _finite(logprob: float) -> float:
    return logprob if math.isfinite(logprob) else _FLOOR
