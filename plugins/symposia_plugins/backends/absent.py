"""The error for something that a backend does not have."""

from __future__ import annotations

from symposia.errors import EndpointError

__all__ = ["absent"]

_HAVING = {
    "complete": ("local", "openai-compatible", "vllm"),
    "embed": ("litellm", "openai-compatible", "vllm"),
    "score": ("vllm",),
    "tokenize": ("local", "vllm"),
}


def absent(who: str, capability: str) -> EndpointError:
    """The error to raise; it names the shipped backends that have the capability."""
    names = ", ".join(_HAVING[capability])
    return EndpointError(f"{who} has no `{capability}`", f"backends that have it with a fitting model: {names}")
