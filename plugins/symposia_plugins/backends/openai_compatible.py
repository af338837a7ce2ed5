"""Any server that speaks OpenAI's HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from symposia.contracts import Capabilities, ChatReply, ChatRequest
from symposia.errors import RecipeError
from symposia.offers import BuildContext
from symposia_plugins.backends.absent import absent
from symposia_plugins.backends.openai_http import OpenAIClient, host_of
from symposia_plugins.backends.openai_wire import (
    chat_body,
    completion_body,
    parse_chat,
    parse_completion,
    parse_embeddings,
)
from symposia_plugins.backends.params import OpenAICompatibleParams, ServerParams

__all__ = ["OpenAICompatible", "build", "client_of", "context_of"]

LOOKUP_TIMEOUT_S = 30.0


class OpenAICompatible:
    """One model at one OpenAI-compatible server.

    Args:
        client: The way to the server.
        model: The model's name there.
        declared: What it is able to do.
        name: Name of the backend, for errors.
    """

    def __init__(
        self, client: OpenAIClient, model: str, declared: Capabilities, name: str = "openai-compatible"
    ) -> None:
        self._client = client
        self._model = model
        self._declared = declared
        self._name = name
        self._found: Capabilities | None = None

    @property
    def identity(self) -> str:
        """The configured host, without port and path."""
        return host_of(self._client.url)

    @property
    def endpoint(self) -> str:
        """Address and key slot."""
        return self._client.endpoint

    async def capabilities(self) -> Capabilities:
        """What was declared, with the context length where ``/models`` tells it.

        Raises:
            BackendError: The server can't be reached or refuses the key.
        """
        if self._found is None:
            listed = await self._client.models(LOOKUP_TIMEOUT_S) or ()
            entry = next((one for one in listed if one["id"] == self._model), {})
            self._found = self._declared.model_copy(update={"context_tokens": context_of(entry)})
        return self._found

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Answer one chat request; raises as `OpenAIClient.post` and `parse_chat` do."""
        data = await self._client.post("chat/completions", chat_body(request), timeout_s, request.model)
        return parse_chat(data, request)

    async def complete(self, prompt: str, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Continue a bare text.

        Raises:
            EndpointError: The server was not declared to have it.
        """
        if not (await self.capabilities()).complete:
            raise absent(self._who, "complete")
        body = completion_body(prompt, request)
        data = await self._client.post("completions", body, timeout_s, request.model)
        return parse_completion(data, request)

    async def embed(self, texts: Sequence[str], timeout_s: float) -> list[list[float]]:
        """One vector a text.

        Raises:
            EndpointError: The server was not declared to have it.
        """
        if not (await self.capabilities()).embed:
            raise absent(self._who, "embed")
        body = orjson.dumps({"model": self._model, "input": list(texts)})
        data = await self._client.post("embeddings", body, timeout_s, self._model)
        return parse_embeddings(data, len(texts))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    @property
    def _who(self) -> str:
        return f"'{self._model}' at {self._client.endpoint} ({self._name})"


def context_of(entry: dict[str, object]) -> int | None:
    """The context length in an entry of ``/models``, under the names that servers give it."""
    for name in ("max_model_len", "context_length", "context_window", "max_context_length"):
        value = entry.get(name)
        if isinstance(value, int) and value > 0:
            return value
    return None


def build(params: OpenAICompatibleParams, bench: BuildContext) -> OpenAICompatible:
    """Build the backend; nothing is sent yet.

    Raises:
        RecipeError: ``base_url`` is missing or no address, or the variable of the key is not set.
    """
    if params.base_url is None:
        raise RecipeError(
            f"the model openai-compatible/{params.model} has no base_url",
            "add base_url: the server's address, up to /v1",
        )
    declared = Capabilities(
        json_schema=params.json_schema,
        n=params.n,
        seed=params.seed,
        logprobs=params.logprobs,
        tools=params.tools,
        complete=params.complete,
        embed=params.embed,
    )
    return OpenAICompatible(client_of(params, params.base_url, bench), params.model, declared)


def client_of(params: ServerParams, base_url: str, bench: BuildContext) -> OpenAIClient:
    """The client for a role's address and key.

    Raises:
        RecipeError: The address is none, or the variable of the key is not set.
    """
    key = None
    if params.api_key_env:
        key = bench.secret(params.api_key_env)
        if key is None:
            raise RecipeError(
                f"the key of {params.model} should be in {params.api_key_env}, which is not set",
                f"export {params.api_key_env}=… or write it into .env",
            )
    return OpenAIClient(base_url, key, params.api_key_env, proxy=params.proxy)
