"""Hosted models through litellm, which is imported when such a model is built and not before.

litellm is used for what it knows, the wire formats and prices of many providers, and kept from everything else:
it does not retry, cache, drop settings, read ``.env`` or fetch its price list.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from multidict import CIMultiDict

from symposia.contracts import Capabilities, ChatReply, ChatRequest, TokenLogprob
from symposia.errors import (
    BackendError,
    EndpointError,
    PluginError,
    RecipeError,
    RequestError,
    TransientError,
    UnreachableError,
)
from symposia.offers import BackendParams, BuildContext
from symposia.records import Usage
from symposia.secrets import redact
from symposia_plugins.backends.absent import absent
from symposia_plugins.backends.openai_errors import Refusal, retry_after, sort_refusal
from symposia_plugins.backends.openai_http import check_url, host_of
from symposia_plugins.backends.openai_wire import OURS

__all__ = ["LiteLLM", "build"]

_STOLEN = frozenset({"1.82.7", "1.82.8"})
_QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "LITELLM_TELEMETRY": "False"}
_NO_KEY = "none"
_SELF_HOSTED = frozenset({"hosted_vllm"})
"""Providers whose models litellm has no table of, and whose servers are known to constrain decoding."""


class LiteLLM:
    """One model of one provider.

    Args:
        library: The imported litellm.
        model: The model's name as litellm writes it.
        base_url: Address of the server, instead of the provider's own.
        key: The key; None to let litellm find the provider's credentials.
        key_env: Name of the variable that holds it.
    """

    def __init__(
        self,
        library: Any,
        model: str,
        base_url: str | None = None,
        key: str | None = None,
        key_env: str | None = None,
    ) -> None:
        self._litellm = library
        self._model = model
        self._base_url = base_url
        self._key = key
        self._key_env = key_env
        self._provider = _provider(library, model, base_url)
        self._host = host_of(check_url(base_url)) if base_url else ""

    @property
    def identity(self) -> str:
        """The configured host, or the provider's name."""
        return self._host or self._provider

    @property
    def endpoint(self) -> str:
        """Provider, address and key slot."""
        where = f"litellm:{self._provider}" + (f" {self._base_url}" if self._base_url else "")
        return f"{where}#{self._key_env}" if self._key_env else where

    async def capabilities(self) -> Capabilities:
        """What litellm's tables say of the model; nothing is sent."""
        takes = frozenset(self._litellm.get_supported_openai_params(self._model) or ())
        info = self._info()
        return Capabilities(
            json_schema=self._provider in _SELF_HOSTED or self._litellm.supports_response_schema(self._model),
            n="n" in takes,
            seed="seed" in takes,
            logprobs={"logprobs", "top_logprobs"} <= takes,
            tools="tools" in takes,
            embed=info.get("mode") == "embedding",
            context_tokens=info.get("max_input_tokens"),
        )

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Answer one chat request.

        Raises:
            BackendError: litellm's error, sorted into ours.
        """
        clash = OURS.intersection(request.options)
        if clash:
            raise EndpointError(f"the options of a role may not set {', '.join(sorted(clash))}")
        answer = await self._call(self._litellm.acompletion, _arguments(request), timeout_s)
        return self._reply(answer, request)

    async def embed(self, texts: Sequence[str], timeout_s: float) -> list[list[float]]:
        """One vector a text.

        Raises:
            EndpointError: It is no embedding model.
        """
        if not (await self.capabilities()).embed:
            raise absent(f"'{self._model}' (litellm)", "embed")
        answer = await self._call(self._litellm.aembedding, {"input": list(texts)}, timeout_s)
        return [list(map(float, row["embedding"])) for row in sorted(answer.data, key=lambda row: row["index"])]

    async def close(self) -> None:
        """Close litellm's connections; it opens new ones when they are needed."""
        await self._litellm.close_litellm_async_clients()

    # -- one attempt ----------------------------------------------------------------------------------------

    async def _call(self, function: Any, arguments: dict[str, Any], timeout_s: float) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                return await function(
                    model=self._model,
                    api_base=self._base_url,
                    api_key=self._key,
                    timeout=timeout_s,
                    num_retries=0,
                    max_retries=0,
                    **arguments,
                )
        except TimeoutError as exc:
            raise TransientError(f"{self.endpoint} gave no answer within {timeout_s:g} s") from exc
        except Exception as exc:
            error = self._sorted(exc)
            late = isinstance(exc, self._litellm.exceptions.Timeout)
            raise error from (TimeoutError() if late else None)

    def _sorted(self, exc: Exception) -> BackendError:
        kinds = self._litellm.exceptions
        said = redact(str(exc))[:600]
        status = getattr(exc, "status_code", None)
        if isinstance(exc, kinds.ContextWindowExceededError):
            return RequestError(said, cause="context_overflow")
        if isinstance(exc, kinds.ContentPolicyViolationError | kinds.RejectedRequestError):
            return RequestError(said, cause="content_filter")
        if isinstance(exc, kinds.Timeout):
            return TransientError(said)
        if _not_connected(exc):
            return UnreachableError(f"{self.endpoint} can't be reached: {said}")
        if isinstance(exc, kinds.APIConnectionError):
            return TransientError(said)
        if not isinstance(status, int):
            return EndpointError(f"litellm could not ask {self.endpoint}: {type(exc).__name__}: {said}")
        if isinstance(exc, kinds.NotFoundError):
            return EndpointError(said, f"check the model's name: '{self._model}'")
        if status < 400:
            return TransientError(f"the server's answer can't be read: {said}")
        headers = CIMultiDict(dict(getattr(exc, "litellm_response_headers", None) or {}))
        return sort_refusal(Refusal(status, said, said, retry_after(headers)), self.endpoint, self._key_env)

    def _reply(self, answer: Any, request: ChatRequest) -> ChatReply:
        choices = list(answer.choices)
        if len(choices) < request.n:
            raise TransientError(f"{self.endpoint} gave {len(choices)} of {request.n} replies")
        if any(choice.finish_reason == "content_filter" for choice in choices):
            raise RequestError("the provider's content filter took the answer away", cause="content_filter")
        calls = tuple(
            tuple(call.model_dump(mode="json") for call in choice.message.tool_calls or ()) for choice in choices
        )
        wants_logprobs = request.top_logprobs is not None
        logprobs = tuple(map(_logprobs, choices)) if wants_logprobs else ()
        return ChatReply(
            texts=tuple(choice.message.content or "" for choice in choices),
            finish_reasons=tuple(choice.finish_reason or "unknown" for choice in choices),
            usage=_usage(answer),
            logprobs=logprobs if logprobs and all(logprobs) else None,
            tool_calls=calls if any(calls) else None,
            model_version=answer.model,
        )

    def _info(self) -> dict[str, Any]:
        try:
            return dict(self._litellm.get_model_info(self._model))
        # litellm raises a plain Exception for a model that its table does not have.
        except Exception:
            return {}


def _arguments(request: ChatRequest) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "messages": list(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "top_p": request.top_p,
        "n": request.n if request.n > 1 else None,
        "seed": request.seed,
        "stop": list(request.stop) or None,
        "tools": list(request.tools) or None,
    }
    if request.json_schema is not None:
        # A plain dict: a model class would cost a millisecond a call.
        schema = {"name": request.json_schema.name, "schema": request.json_schema.body}
        settings["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.top_logprobs is not None:
        settings |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    settings |= request.options
    return {name: value for name, value in settings.items() if value is not None}


def _usage(answer: Any) -> Usage:
    usage = getattr(answer, "usage", None)
    cost = answer._hidden_params.get("response_cost")
    return Usage(
        calls=1,
        prompt_tokens=getattr(usage, "prompt_tokens", 0) or 0,
        completion_tokens=getattr(usage, "completion_tokens", 0) or 0,
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
    )


def _logprobs(choice: Any) -> tuple[TokenLogprob, ...]:
    content = getattr(getattr(choice, "logprobs", None), "content", None) or ()
    return tuple(
        TokenLogprob(
            token=one.token,
            logprob=one.logprob,
            top={other.token: other.logprob for other in reversed(one.top_logprobs or ())},
        )
        for one in content
    )


def _not_connected(exc: BaseException | None) -> bool:
    """Whether a refused connection or unknown host is the reason; litellm calls that an internal server error."""
    seen = 0
    while exc is not None and seen < 10:
        if type(exc).__name__ in {"ConnectError", "ClientConnectorError", "ClientConnectorDNSError"}:
            return True
        exc, seen = exc.__cause__ or exc.__context__, seen + 1
    return False


def _provider(library: Any, model: str, base_url: str | None) -> str:
    try:
        return str(library.get_llm_provider(model, api_base=base_url)[1])
    except library.exceptions.BadRequestError:
        raise RecipeError(
            f"litellm knows no provider of '{model}'",
            "write the provider before the model: litellm/anthropic/…, litellm/openai/…, litellm/hosted_vllm/…",
        ) from None


def _load() -> Any:
    """Import litellm, quiet.

    Raises:
        PluginError: The installed release is one of those that steal credentials.
    """
    version = metadata.version("litellm")
    # The releases run their code when they are imported, so they must be told before.
    if version in _STOLEN:
        raise PluginError(
            f"litellm {version} is installed, a malicious release that steals credentials",
            "remove it at once (pip uninstall litellm), change the keys of this machine, and install a later one",
        )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Its classes warn about each other while they are put together, at the first answer.
        warnings.simplefilter("ignore")
        import litellm

        litellm.ModelResponse()
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    return litellm


def build(params: BackendParams, bench: BuildContext) -> LiteLLM:
    """Build the backend; litellm is imported here.

    The key is that in ``api_key_env``, else the one in the provider's own variable, in ``.env`` too.

    Raises:
        RecipeError: litellm does not know the provider, or the variable of the key is not set.
        PluginError: The installed litellm must not be used.
    """
    library = _load()
    if params.api_key_env:
        key = bench.secret(params.api_key_env)
        if key is None:
            raise RecipeError(
                f"the key of {params.model} should be in {params.api_key_env}, which is not set",
                f"export {params.api_key_env}=… or write it into .env",
            )
        return LiteLLM(library, params.model, params.base_url, key, params.api_key_env)
    provider = _provider(library, params.model, params.base_url)
    if provider == "openai" and params.base_url:
        # Else litellm would send the OpenAI key of this machine to whatever server the address names.
        return LiteLLM(library, params.model, params.base_url, _NO_KEY)
    slot = f"{provider.upper()}_API_KEY"
    return LiteLLM(library, params.model, params.base_url, bench.secret(slot), slot)
