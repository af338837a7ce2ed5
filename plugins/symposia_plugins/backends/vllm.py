"""A vLLM server, through its OpenAI-compatible HTTP; vLLM itself is never imported."""

from __future__ import annotations

import orjson

from symposia.contracts import Capabilities, ChatRequest, TokenLogprob
from symposia.errors import BackendError, EndpointError, did_you_mean
from symposia.offers import BuildContext
from symposia_plugins.backends.absent import absent
from symposia_plugins.backends.openai_compatible import (
    LOOKUP_TIMEOUT_S,
    OpenAICompatible,
    client_of,
    context_of,
)
from symposia_plugins.backends.openai_http import OpenAIClient
from symposia_plugins.backends.openai_wire import completion_body, parse_prompt_logprobs, parse_tokens
from symposia_plugins.backends.params import VLLMParams

__all__ = ["DEFAULT_URL", "VLLM", "build"]

DEFAULT_URL = "http://localhost:8000/v1"


class VLLM(OpenAICompatible):
    """One model at one vLLM server.

    Constrained decoding, ``n``, seeds and log-probabilities belong to every vLLM server that generates text. Which
    routes it has depends on the model and is read from its own description.

    Attributes:
        version: vLLM's version, known after `capabilities` where the server tells it.
    """

    def __init__(self, client: OpenAIClient, model: str, tools: bool = False) -> None:
        super().__init__(client, model, Capabilities(tools=tools), name="vllm")
        self.version: str | None = None

    async def capabilities(self) -> Capabilities:
        """What the server says of itself, looked up once.

        Raises:
            EndpointError: It does not serve the model.
            BackendError: It can't be reached or refuses the key.
        """
        if self._found is None:
            entry = await self._entry()
            self.version = await self._look("/version", "version")
            routes = await self._routes()
            self._found = Capabilities(
                json_schema=True,
                n=True,
                seed=True,
                logprobs=True,
                tools=self._declared.tools,
                complete="/v1/completions" in routes,
                embed="/v1/embeddings" in routes and await self._embeds(),
                tokenize="/tokenize" in routes,
                score="/v1/completions" in routes,
                context_tokens=context_of(entry),
            )
        return self._found

    async def tokenize(self, text: str, timeout_s: float) -> list[int]:
        """Token ids of a text, without special tokens.

        Raises:
            EndpointError: The server has no such route.
        """
        if not (await self.capabilities()).tokenize:
            raise absent(self._who, "tokenize")
        body = orjson.dumps({"model": self._model, "prompt": text, "add_special_tokens": False})
        return parse_tokens(await self._client.post("/tokenize", body, timeout_s, self._model))

    async def score(self, text: str, timeout_s: float) -> tuple[TokenLogprob, ...]:
        """Log-probability of each token of a text after those before it.

        The first token has none before it and is left out, unless the model puts a start token there.

        Raises:
            EndpointError: The server has no such route.
        """
        if not (await self.capabilities()).score:
            raise absent(self._who, "score")
        request = ChatRequest(model=self._model, messages=(), temperature=0.0, max_tokens=1)
        body = completion_body(text, request, prompt_logprobs=0)
        return parse_prompt_logprobs(await self._client.post("completions", body, timeout_s, self._model))

    async def _entry(self) -> dict[str, object]:
        listed = await self._client.models(LOOKUP_TIMEOUT_S)
        entry = next((one for one in listed or () if one["id"] == self._model), None)
        if listed and entry is None:
            names = [str(one["id"]) for one in listed]
            raise EndpointError(
                f"{self._client.endpoint} has no model '{self._model}'", did_you_mean(self._model, names)
            )
        return entry or {}

    async def _routes(self) -> frozenset[str]:
        """The paths in the server's own description; none where it keeps that to itself."""
        try:
            paths = orjson.loads(await self._client.get("/openapi.json", LOOKUP_TIMEOUT_S))["paths"]
            return frozenset(paths)
        except (BackendError, ValueError, TypeError, KeyError):
            return frozenset()

    async def _look(self, path: str, field: str) -> str | None:
        try:
            value = orjson.loads(await self._client.get(path, LOOKUP_TIMEOUT_S))[field]
        except (BackendError, ValueError, TypeError, KeyError):
            return None
        return value if isinstance(value, str) else None

    async def _embeds(self) -> bool:
        """Whether the route works with this model: older servers list it for every model."""
        body = orjson.dumps({"model": self._model, "input": ["a"]})
        try:
            await self._client.post("embeddings", body, LOOKUP_TIMEOUT_S, self._model)
        except EndpointError:
            return False
        return True


def build(params: VLLMParams, bench: BuildContext) -> VLLM:
    """Build the backend; nothing is sent yet.

    Raises:
        RecipeError: ``base_url`` is no address, or the variable of the key is not set.
    """
    return VLLM(client_of(params, params.base_url or DEFAULT_URL, bench), params.model, params.tools)
