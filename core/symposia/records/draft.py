"""What a graph makes: a typed payload in the graph's draft schema."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from symposia.records.base import JsonObject, JsonValue, Record, content_hash

__all__ = ["Draft"]


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


class Draft(Record):
    """One version of a sample in the making.

    Attributes:
        round: 0 for the teacher's proposal, then one more for each revision.
        author: The role that wrote it (``teacher``, ``reviser``) or ``human:<reviewer>``.
        payload: The content, in the draft schema of the graph.
    """

    round: int = Field(ge=0)
    author: str
    payload: JsonObject

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the payload's canonical JSON."""
        return content_hash(self.payload)

    @property
    def text(self) -> str:
        """All text of the payload, one field a line, in field order."""
        return "\n".join(_texts(self.payload))
