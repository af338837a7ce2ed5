"""The model backends that ship with Symposia.

What a backend stands on is imported when it is built.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from symposia.contracts import Backend
from symposia.hookspecs import hookimpl
from symposia.offers import BackendParams, BuildContext, Offer
from symposia_plugins.backends.params import (
    LocalParams,
    OpenAICompatibleParams,
    ReplayParams,
    ScriptedParams,
    VLLMParams,
)

__all__ = ["register_backends"]


@hookimpl
def register_backends() -> list[Offer[Backend]]:
    """All backends of this distribution."""
    return [
        Offer(
            "local",
            _built_by("local"),
            "A GGUF model inside this process (llama.cpp); smollm2 is one command away.",
            params=LocalParams,
            extra="local",
            requires=("xllamacpp",),
        ),
        Offer("vllm", _built_by("vllm"), "A model served by vLLM, at its address.", params=VLLMParams),
        Offer(
            "openai-compatible",
            _built_by("openai_compatible"),
            "A model at any server that speaks OpenAI's HTTP.",
            params=OpenAICompatibleParams,
        ),
        Offer(
            "litellm",
            _built_by("litellm_backend"),
            "A hosted model of any provider that litellm knows.",
            params=BackendParams,
            extra="litellm",
            requires=("litellm",),
        ),
        Offer(
            "scripted", _built_by("scripted"), "A function or a file of replies, for tests.", params=ScriptedParams
        ),
        Offer("replay", _built_by("replay"), "Recorded answers out of a ledger or cassette.", params=ReplayParams),
    ]


def _built_by(module: str) -> Callable[[Any, BuildContext], Backend]:
    def build(params: Any, bench: BuildContext) -> Backend:
        return cast(Backend, import_module(f"{__name__}.{module}").build(params, bench))

    return build
