"""Answers that depend on the request alone: texts, log-probabilities, vectors, and instances of a JSON schema."""

from __future__ import annotations

import hashlib
import random
import zlib
from typing import Any

import orjson

from symposia.records import JsonObject, JsonValue

__all__ = ["instance_of", "logprobs_of", "rng_of", "text_of", "token_ids", "vector_of"]

_WORDS = tuple(
    """amber anchor basin beacon brass bright calm candle coast copper current deep drift east ember fair fog glass
    granite harbour hollow iron keeper lamp lantern lens lime low mast mirror moor north oak oil pale pilot quay
    reef river rock rope salt sand shore signal silver slate slow south spark steady stone storm swift tar tide
    timber tower vessel wave west wick wind winter wood""".split()  # noqa: SIM905 — a column of 64 quoted words is no better
)
_DEEPEST = 12


def rng_of(*parts: Any) -> random.Random:
    """A generator that is a function of JSON values."""
    seed = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).digest()
    return random.Random(int.from_bytes(seed[:8], "big"))


def text_of(rng: random.Random) -> str:
    """Two or three sentences."""
    sentences = []
    for _ in range(rng.randint(2, 3)):
        words = rng.choices(_WORDS, k=rng.randint(6, 12))
        sentences.append(" ".join(words).capitalize() + ".")
    return " ".join(sentences)


def token_ids(text: str) -> list[int]:
    """One id a word; a word has the same id everywhere."""
    return [zlib.crc32(word.encode()) % 50_000 for word in text.split()]


def vector_of(text: str, dimensions: int = 8) -> list[float]:
    """A vector that depends on the text alone."""
    rng = rng_of("vector", text)
    return [rng.uniform(-1, 1) for _ in range(dimensions)]


def logprobs_of(text: str, top: int) -> list[JsonObject]:
    """One entry a word in the form of chat completions, the written word first among its ``top`` alternatives."""
    entries: list[JsonObject] = []
    for place, word in enumerate(text.split()):
        rng = rng_of("logprob", place, word)
        own = -rng.random()
        listed: list[JsonValue] = [{"token": word, "logprob": own}] if top else []
        listed += [{"token": f"{word}{other}", "logprob": own - 1 - other} for other in range(top - 1)]
        entries.append({"token": word, "logprob": own, "top_logprobs": listed})
    return entries


def instance_of(schema: JsonObject, rng: random.Random, depth: int = 0) -> JsonValue:
    """A value that follows a JSON schema.

    Knows what constrained decoding knows: types, properties, required, enum, const, items, lengths, bounds, and
    unions; not patterns and formats.

    Raises:
        ValueError: The schema is deeper than a finite value may be.
    """
    if depth > _DEEPEST:
        raise ValueError("the schema has no end")
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum")
    if isinstance(choices, list):
        return choices[rng.randrange(len(choices))]
    for union in ("anyOf", "oneOf"):
        members = schema.get(union)
        if isinstance(members, list) and members:
            return instance_of(_object(members[rng.randrange(len(members))]), rng, depth + 1)
    merged = schema.get("allOf")
    if isinstance(merged, list):
        return instance_of({**_without(schema, "allOf"), **_merge(merged)}, rng, depth + 1)
    return _of_type(schema, rng, depth)


def _of_type(schema: JsonObject, rng: random.Random, depth: int) -> JsonValue:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[rng.randrange(len(kind))]
    if kind == "object":
        properties = _object(schema.get("properties"))
        return {name: instance_of(_object(body), rng, depth + 1) for name, body in properties.items()}
    if kind == "array":
        low = _number(schema, "minItems", 0)
        high = max(low, min(_number(schema, "maxItems", low + 2), low + 2))
        items = _object(schema.get("items"))
        return [instance_of(items, rng, depth + 1) for _ in range(rng.randint(int(low), int(high)))]
    if kind in ("integer", "number"):
        return _numeric(schema, rng, whole=kind == "integer")
    if kind == "boolean":
        return rng.random() < 0.5
    return None if kind == "null" else _text(schema, rng)


def _numeric(schema: JsonObject, rng: random.Random, *, whole: bool) -> JsonValue:
    low = _number(schema, "minimum", _number(schema, "exclusiveMinimum", -1.0) + (1 if whole else 1e-6))
    high = _number(schema, "maximum", _number(schema, "exclusiveMaximum", low + 11) - (1 if whole else 1e-6))
    if whole:
        return rng.randint(int(low), int(high))
    return low + (high - low) * rng.random()


def _text(schema: JsonObject, rng: random.Random) -> str:
    low, high = int(_number(schema, "minLength", 0)), schema.get("maxLength")
    text = text_of(rng)
    while len(text) < low:
        text += " " + text_of(rng)
    return text[:high] if isinstance(high, int) else text


def _number(schema: JsonObject, name: str, default: float) -> float:
    value = schema.get(name)
    return value if isinstance(value, int | float) else default


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _without(schema: JsonObject, name: str) -> JsonObject:
    return {key: value for key, value in schema.items() if key != name}


def _merge(schemas: list[JsonValue]) -> JsonObject:
    merged: JsonObject = {}
    properties: JsonObject = {}
    for schema in map(_object, schemas):
        merged.update(schema)
        properties.update(_object(schema.get("properties")))
    return {**merged, "properties": properties} if properties else merged
