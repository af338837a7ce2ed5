"""Secrets: read from plugins, the environment or ``.env``; never printed, stored or logged."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

__all__ = ["read_secret", "redact"]

_seen: set[str] = set()
_MASK = "***"
_SHORTEST = 6
"""Values shorter than this are not masked: they would mask ordinary text, and no real key is that short."""


@lru_cache(maxsize=8)
def _dotenv(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    return {key: value for key, value in dotenv_values(path).items() if value}


def read_secret(name: str, resolved: str | None = None) -> str | None:
    """The secret's value: what a plugin resolved, else the environment's, else that of ``.env`` here.

    Whatever is found is remembered so that `redact` can mask it.
    """
    value = resolved or os.environ.get(name)
    if not value:
        path = Path.cwd() / ".env"
        value = _dotenv(path).get(name) if path.is_file() else None
    if value and len(value) >= _SHORTEST:
        _seen.add(value)
    return value or None


def redact(text: str) -> str:
    """The text with every secret that was read masked, and user info in addresses too."""
    for value in sorted(_seen, key=len, reverse=True):
        text = text.replace(value, _MASK)
    return text
