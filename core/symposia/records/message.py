"""One message of a chat, in a prompt and in a sample."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = ["Message"]


class Message(TypedDict):
    """One chat message, in the form that endpoints and trainers read."""

    role: Literal["system", "user", "assistant"]
    content: str
