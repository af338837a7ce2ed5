"""Keeps langgraph from sending prompts to LangSmith unless this program was asked to.

The variables that switch LangSmith on (``LANGSMITH_TRACING``, ``LANGCHAIN_TRACING_V2``) are often set for some
other program. Here they count only together with ``SYMPOSIA_TRACING=langsmith``.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

__all__ = ["TRACING_ENV", "traced_only_if_asked"]

TRACING_ENV = "SYMPOSIA_TRACING"

_OBSOLETE = ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER")
# They switched on a tracer that is no more; all they do now, with tracing off, is to make langchain raise.


def traced_only_if_asked() -> AbstractContextManager[None]:
    """A context in which LangSmith is off, unless the user asked for it by name."""
    if os.environ.get(TRACING_ENV) == "langsmith":
        return nullcontext()
    for name in _OBSOLETE:
        os.environ.pop(name, None)
    from langsmith import tracing_context

    return tracing_context(enabled=False)
