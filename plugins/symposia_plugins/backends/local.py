"""A GGUF model inside this process, through xllamacpp: no key, no server to set up, no network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson

from symposia import models
from symposia.contracts import Capabilities, ChatReply, ChatRequest
from symposia.errors import EndpointError, did_you_mean
from symposia.offers import BuildContext
from symposia_plugins.backends.llama_server import LlamaServer, ServerPlan, cores, lease, release, weights_digest
from symposia_plugins.backends.openai_http import OpenAIClient
from symposia_plugins.backends.openai_wire import (
    chat_body,
    completion_body,
    parse_chat,
    parse_completion,
    parse_tokens,
)
from symposia_plugins.backends.params import LocalParams

__all__ = ["Local", "build", "find_weights"]

_LOOKUP_TIMEOUT_S = 30.0


class Local:
    """One GGUF model.

    The server starts with the first request or look-up, and is shared with every other backend of the same file.

    Args:
        name: Name of the model, for errors.
        plan: What the server is started with.
    """

    def __init__(self, name: str, plan: ServerPlan) -> None:
        self._name = name
        self._plan = plan
        self._server: LlamaServer | None = None
        self._client: OpenAIClient | None = None
        self._starting = asyncio.Lock()
        self._found: Capabilities | None = None

    @property
    def identity(self) -> str:
        """Digest of the weights, ``sha256:`` and 64 hexadecimal digits."""
        return f"sha256:{weights_digest(self._plan.weights)}"

    @property
    def endpoint(self) -> str:
        """The file of weights: all roles that use it share one server."""
        return f"local:{self._plan.weights.name}"

    async def capabilities(self) -> Capabilities:
        """What llama.cpp is able to do with this model.

        Several replies to one request need as many free slots, so they are asked for one by one. Tools depend on
        the model's chat template, which says whether it knows them.

        Raises:
            EndpointError: The weights can't be loaded.
        """
        if self._found is None:
            client = await self._ready()
            props = orjson.loads(await client.get("/props", _LOOKUP_TIMEOUT_S))
            self._found = Capabilities(
                json_schema=True,
                seed=True,
                logprobs=True,
                tools=bool(props.get("chat_template_caps", {}).get("supports_tools")),
                complete=True,
                tokenize=True,
                context_tokens=props["default_generation_settings"]["n_ctx"],
            )
        return self._found

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Answer one chat request; raises as `OpenAIClient.post` and `parse_chat` do."""
        client = await self._ready()
        data = await client.post("chat/completions", chat_body(_exact(request)), timeout_s, request.model)
        return _free(parse_chat(data, request))

    async def complete(self, prompt: str, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Continue a bare text; raises as `chat` does."""
        client = await self._ready()
        data = await client.post("completions", completion_body(prompt, _exact(request)), timeout_s, request.model)
        return _free(parse_completion(data, request))

    async def tokenize(self, text: str, timeout_s: float) -> list[int]:
        """Token ids of a text, without special tokens."""
        client = await self._ready()
        body = orjson.dumps({"content": text, "add_special": False, "parse_special": False})
        return parse_tokens(await client.post("/tokenize", body, timeout_s))

    async def close(self) -> None:
        """Stop the server, unless another backend uses it still."""
        client, self._client = self._client, None
        server, self._server = self._server, None
        if client is not None:
            await client.close()
        if server is not None:
            await asyncio.to_thread(release, server)

    async def _ready(self) -> OpenAIClient:
        if self._client is None:
            async with self._starting:
                if self._client is None:
                    self._client = await self._started()
        return self._client

    async def _started(self) -> OpenAIClient:
        server = lease(self._plan)
        try:
            address = await asyncio.to_thread(server.start)
        except BaseException:
            # A start that was called off still ends in its thread, and only then can the server be stopped.
            asyncio.get_running_loop().run_in_executor(None, release, server)
            raise
        self._server = server
        # The server holds a thread for each open connection, an idle one too: more of them than it has threads
        # would let some requests starve. So those that find no slot wait on this side, in order.
        return OpenAIClient(f"{address}/v1", server.key, name=f"local/{self._name}", connections=server.plan.slots)


def _exact(request: ChatRequest) -> ChatRequest:
    """The request without reuse of earlier prompts, unless its options say otherwise."""
    return request.model_copy(update={"options": {"cache_prompt": False} | request.options})


def _free(reply: ChatReply) -> ChatReply:
    """The reply with its price: the machine is already paid for."""
    return reply.model_copy(update={"usage": reply.usage.model_copy(update={"cost_usd": 0.0})})


def find_weights(model: str, base: Path) -> Path:
    """The file of a model's weights.

    Args:
        model: Name of a known model, or path of a GGUF file.
        base: Folder against which a relative path is read.

    Raises:
        EndpointError: The model is not known, not pulled, or the file is not there.
    """
    if model.endswith(".gguf"):
        path = (base / Path(model).expanduser()).resolve()
        if not path.is_file():
            raise EndpointError(
                f"there is no file {path}", "give the path of a GGUF file, absolute or below the recipe"
            )
        return path
    if model not in models.KNOWN:
        raise EndpointError(
            f"no local model is called '{model}'",
            did_you_mean(model, list(models.KNOWN)) + "; or give a .gguf file",
        )
    found = models.find(model)
    if found is None:
        raise EndpointError(
            f"the weights of '{model}' are not on this machine", f"fetch them once: symposia models pull {model}"
        )
    return found.resolve()


def build(params: LocalParams, bench: BuildContext) -> Local:
    """Build the backend; nothing is loaded yet.

    Raises:
        EndpointError: The weights are not there.
    """
    plan = ServerPlan(
        weights=find_weights(params.model, bench.base),
        slots=min(params.parallel, params.slots),
        context=params.context,
        threads=params.threads or cores(),
    )
    return Local(params.model, plan)
