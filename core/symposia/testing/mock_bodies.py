"""Bodies of a mock server's requests and answers."""

from __future__ import annotations

import orjson

from symposia.records import JsonObject, JsonValue
from symposia.testing.answers import instance_of, logprobs_of, rng_of, text_of

__all__ = ["body_of", "completion", "default_answer", "envelope", "words_in"]


def body_of(raw: bytes) -> JsonObject:
    """A request's body.

    Raises:
        ValueError: It is no JSON object.
    """
    body = orjson.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object")
    return body


def default_answer(body: JsonObject) -> JsonValue:
    """A list of as many different answers as were asked for; `completion` knows what to do with it."""
    count = body.get("n") or 1
    return [_one_answer(body, number) for number in range(count if isinstance(count, int) else 1)]


def _one_answer(body: JsonObject, number: int) -> JsonValue:
    rng = rng_of("chat", body, number)
    form = body.get("response_format")
    if isinstance(form, dict) and isinstance(spec := form.get("json_schema"), dict):
        schema = spec.get("schema")
        return orjson.dumps(instance_of(schema if isinstance(schema, dict) else {}, rng)).decode()
    return text_of(rng)


def completion(body: JsonObject, said: JsonValue) -> JsonObject:
    """The body of a chat completion; a list of texts is one reply each, anything else is every reply."""
    count = body.get("n") or 1
    several = isinstance(said, list) and len(said) == count and all(isinstance(one, str) for one in said)
    texts = said if several and isinstance(said, list) else [said] * (count if isinstance(count, int) else 1)
    choices = [_choice(body, place, text) for place, text in enumerate(texts)]
    return envelope(body, choices, words_in(body))


def _choice(body: JsonObject, place: int, said: JsonValue) -> JsonObject:
    text, reason = said if isinstance(said, str) else orjson.dumps(said).decode(), "stop"
    stops = body.get("stop")
    for stop in stops if isinstance(stops, list) else ():
        text = text.split(str(stop))[0]
    limit = body.get("max_tokens")
    if isinstance(limit, int) and len(text.split()) > limit:
        text, reason = " ".join(text.split()[:limit]), "length"
    choice: JsonObject = {
        "index": place,
        "message": {"role": "assistant", "content": text},
        "finish_reason": reason,
        "logprobs": None,
    }
    if body.get("logprobs"):
        top = body.get("top_logprobs")
        choice["logprobs"] = {"content": list(logprobs_of(text, top if isinstance(top, int) else 0))}
    return choice


def envelope(body: JsonObject, choices: list[JsonObject], read: int) -> JsonObject:
    """What stands around the choices: usage, model, a name that is a function of the request."""
    written = sum(len(orjson.dumps(choice).split()) for choice in choices)
    return {
        "id": f"chatcmpl-{rng_of(body).randrange(16**8):08x}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model"),
        "choices": list(choices),
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def words_in(body: JsonObject) -> int:
    """Words of a request's prompt."""
    messages = body.get("messages")
    listed = messages if isinstance(messages, list) else []
    return sum(len(str(message.get("content", "")).split()) for message in listed if isinstance(message, dict))
