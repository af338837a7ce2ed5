"""The forms of a critic's answers, and how they are read.

Only what every server constrains alike stands in the JSON schemas: enumerations, required fields, and the length of
lists. Reading is more forgiving than the schemas, for servers that don't constrain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator

from symposia.contracts import Schema
from symposia.records import JsonObject, JsonValue, Severity
from symposia_plugins.critics.claims import Claim

__all__ = [
    "BROKEN",
    "Outcome",
    "claim_in",
    "detail_schema",
    "is_broken",
    "objection_schema",
    "objections_in",
    "ruling_schema",
    "rulings_in",
    "smaller_objection_schema",
    "smaller_ruling_schema",
]

Outcome = Literal["withdrawn", "upheld"]

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_TEXT: JsonObject = {"type": "string"}


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _known_severity(value: Any) -> Any:
    word = _lower(value)
    return word if word in _SEVERITIES else None


class _Detail(BaseModel):
    quote: str = ""
    reason: str = ""
    severity: Annotated[Severity | None, BeforeValidator(_known_severity)] = None
    fix: str = ""


class _Objection(_Detail):
    principle: str


class _Objections(BaseModel):
    objections: list[_Objection]


class _Broken(BaseModel):
    broken: Annotated[Literal["yes", "no"], BeforeValidator(_lower)]


class _Ruling(BaseModel):
    objection: str
    outcome: Annotated[Outcome, BeforeValidator(_lower)]
    reason: str = ""


class _Rulings(BaseModel):
    rulings: list[_Ruling]


class _Withdrawn(BaseModel):
    withdrawn: list[str]


def _object(properties: Mapping[str, JsonValue]) -> JsonObject:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: JsonObject, most: int) -> JsonObject:
    return {"type": "array", "items": items, "maxItems": most}


def _choice(options: Sequence[str]) -> JsonObject:
    return {"type": "string", "enum": list(options)}


def _schema(name: str, body: JsonObject, reader: type[BaseModel]) -> Schema:
    return Schema(name, body, Schema.of(reader).read)


def _text(most: int | None) -> JsonObject:
    return _TEXT if most is None else {**_TEXT, "maxLength": most}


def _detail(chars: int | None) -> JsonObject:
    text = _text(chars)
    return {"quote": text, "reason": text, "severity": _choice(_SEVERITIES), "fix": text}


BROKEN = _schema("broken", _object({"broken": _choice(("yes", "no"))}), _Broken)
"""Whether one principle is broken."""


@lru_cache(maxsize=32)
def detail_schema(chars: int | None) -> Schema:
    """Where and how one principle is broken; ``chars`` is the greatest length of a text."""
    return _schema("detail", _object(_detail(chars)), _Detail)


@lru_cache(maxsize=32)
def objection_schema(principles: tuple[str, ...], most: int, chars: int | None) -> Schema:
    """A list of objections to these principles."""
    item = _object({"principle": _choice(principles), **_detail(chars)})
    return _schema("objections", _object({"objections": _list(item, most)}), _Objections)


@lru_cache(maxsize=32)
def smaller_objection_schema(principles: tuple[str, ...], chars: int | None) -> Schema:
    """One objection or none, with the least that an objection needs."""
    item = _object({"principle": _choice(principles), "quote": _text(chars), "reason": _text(chars)})
    return _schema("objection", _object({"objections": _list(item, 1)}), _Objections)


@lru_cache(maxsize=64)
def ruling_schema(ids: tuple[str, ...], chars: int | None) -> Schema:
    """A ruling on each contested objection."""
    item = _object({"objection": _choice(ids), "reason": _text(chars), "outcome": _choice(get_args(Outcome))})
    return _schema("rulings", _object({"rulings": _list(item, len(ids))}), _Rulings)


@lru_cache(maxsize=64)
def smaller_ruling_schema(ids: tuple[str, ...]) -> Schema:
    """Only the ids of the objections that are withdrawn."""
    return _schema("withdrawn", _object({"withdrawn": _list(_choice(ids), len(ids))}), _Withdrawn)


def objections_in(value: JsonValue) -> list[Claim]:
    """The claims in an answer that an objection schema has read."""
    return [Claim(**item.model_dump()) for item in _Objections.model_validate(value).objections]


def claim_in(principle: str, value: JsonValue) -> Claim:
    """The claim in an answer that the detail schema has read."""
    return Claim(principle=principle, **_Detail.model_validate(value).model_dump())


def is_broken(value: JsonValue) -> bool:
    """What an answer says that `BROKEN` has read."""
    return _Broken.model_validate(value).broken == "yes"


def rulings_in(value: JsonValue) -> dict[str, tuple[Outcome, str]]:
    """Outcome and reason by objection id; an objection that was ruled on both ways is upheld."""
    if isinstance(value, dict) and "withdrawn" in value:
        return {id_: ("withdrawn", "") for id_ in _Withdrawn.model_validate(value).withdrawn}
    said: dict[str, tuple[Outcome, str]] = {}
    for ruling in _Rulings.model_validate(value).rulings:
        earlier = said.get(ruling.objection)
        if earlier is None or earlier[0] == "withdrawn":
            said[ruling.objection] = (ruling.outcome, ruling.reason)
    return said
