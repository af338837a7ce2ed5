"""A backend that answers by a function: what tests speak to instead of a model."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable

from symposia.contracts import Backend, Capabilities, ChatReply, ChatRequest
from symposia.errors import EndpointError, SymposiaError, TransientError
from symposia.hookspecs import hookimpl
from symposia.offers import BackendParams, BuildContext, Offer
from symposia.records import Usage

__all__ = ["Script", "ScriptedBackend", "ScriptedPlugin"]

Script = Callable[[ChatRequest], "str | ChatReply | Awaitable[str | ChatReply]"]
"""Gives the text or the whole reply to a request, at once or awaited, or raises what a backend would."""


class ScriptedBackend:
    """Answers each request with what a function gives; implements `symposia.contracts.Backend`.

    Tokens are counted as words, and nothing costs anything.

    Args:
        script: Called with each request. Give answers by what stands in the request, not by the order of calls:
            the order depends on timing.
        identity: What the answers depend on beside the request.
        able: What the backend says it is able to do.
        endpoint: What shares one rate limit.
    """

    def __init__(
        self,
        script: Script,
        *,
        identity: str = "script",
        able: Capabilities | None = None,
        endpoint: str = "script",
    ) -> None:
        self._script = script
        self._identity = identity
        self._able = able or Capabilities(json_schema=True, seed=True)
        self._endpoint = endpoint

    @property
    def identity(self) -> str:
        """As given."""
        return self._identity

    @property
    def endpoint(self) -> str:
        """As given."""
        return self._endpoint

    async def capabilities(self) -> Capabilities:
        """As given."""
        return self._able

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """What the script says.

        Raises:
            TransientError: It took longer than ``timeout_s``.
            EndpointError: It failed, or gave something that is no reply.
        """
        try:
            async with asyncio.timeout(timeout_s):
                said = self._script(request)
                if inspect.isawaitable(said):
                    said = await said
        except TimeoutError as exc:
            raise TransientError(f"the script gave no answer within {timeout_s:g} s") from exc
        except SymposiaError:
            raise
        except Exception as exc:
            raise EndpointError(f"the script failed: {type(exc).__name__}: {exc}") from exc
        if isinstance(said, str):
            return _reply(said, request)
        if not isinstance(said, ChatReply):
            raise EndpointError(f"the script gave a {type(said).__name__}", "give a text or a ChatReply")
        return said

    async def close(self) -> None:
        """There is nothing to free."""


class ScriptedPlugin:
    """A plugin that offers backends made in a test: ``Host(extra=[ScriptedPlugin(fake=backend)])``.

    The names must be other ones than those of the installed backends; the model's name in a recipe is free.
    """

    def __init__(self, **backends: Backend | Script) -> None:
        self._backends = {
            name.replace("_", "-"): given if isinstance(given, Backend) else ScriptedBackend(given)
            for name, given in backends.items()
        }

    @hookimpl
    def register_backends(self) -> Iterable[Offer[Backend]]:
        """One offer a backend."""
        return [
            Offer(name, _giving(backend), "Answers by a function of a test.", params=BackendParams)
            for name, backend in self._backends.items()
        ]


def _giving(backend: Backend) -> Callable[[BackendParams, BuildContext], Backend]:
    def build(params: BackendParams, bench: BuildContext) -> Backend:
        return backend

    return build


def _reply(text: str, request: ChatRequest) -> ChatReply:
    read = sum(len(message["content"].split()) for message in request.messages)
    return ChatReply(
        texts=(text,) * request.n,
        finish_reasons=("stop",) * request.n,
        usage=Usage(calls=1, prompt_tokens=read, completion_tokens=request.n * len(text.split())),
        model_version="script",
    )
