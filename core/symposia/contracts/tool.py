"""A tool that a sample's conversation may call."""

from __future__ import annotations

from typing import Protocol

from symposia.records import JsonObject

__all__ = ["Tool"]


class Tool(Protocol):
    """A real or simulated tool."""

    @property
    def description(self) -> JsonObject:
        """The tool in the OpenAI form: name, description, JSON schema of its arguments."""

    async def call(self, arguments: JsonObject) -> str:
        """Run it with validated arguments and give what the model reads."""
