"""What every record shares: frozen, closed to unknown fields, and with one canonical JSON form."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue

__all__ = ["JsonObject", "JsonValue", "Record", "canonical_json", "content_hash"]

JsonObject = dict[str, JsonValue]


class Record(BaseModel):
    """A frozen pydantic model; ``model_validate_json(model_dump_json())`` gives an equal record."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)


def canonical_json(value: Any) -> bytes:
    """The one byte form of a JSON value: UTF-8, keys sorted, no spaces.

    Raises:
        TypeError: The value holds something that JSON has no form for.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
