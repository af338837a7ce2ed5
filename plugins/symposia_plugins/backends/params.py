"""Parameters of the backends; apart, so that listing and checking them imports nothing heavy."""

from __future__ import annotations

from pydantic import Field

from symposia.offers import BackendParams

__all__ = ["LocalParams", "OpenAICompatibleParams", "ReplayParams", "ScriptedParams", "ServerParams", "VLLMParams"]


class ServerParams(BackendParams):
    """A model behind HTTP.

    Attributes:
        proxy: Go through the proxy that the environment names (``HTTPS_PROXY``, ``NO_PROXY``).
    """

    proxy: bool = False


class OpenAICompatibleParams(ServerParams):
    """What the server at ``base_url`` is able to do is declared, for it has no way to say so.

    The defaults hold for servers of many makes. What a server without the feature ignores (a seed) or what is
    checked afterwards in any case (a schema) is taken to be there. What would change the number or the meaning of
    replies without a word is not.

    Attributes:
        json_schema: Takes ``response_format`` with a JSON schema.
        n: Gives several replies to one request.
        seed: Takes a sampling seed.
        logprobs: Reports log-probabilities.
        tools: Takes tool descriptions.
        complete: Has ``/completions``.
        embed: Has ``/embeddings`` with this model.
    """

    json_schema: bool = True
    n: bool = False
    seed: bool = True
    logprobs: bool = False
    tools: bool = True
    complete: bool = False
    embed: bool = False


class VLLMParams(ServerParams):
    """A model served by vLLM.

    Attributes:
        tools: The server was started with a tool-call parser; it has no way to say so.
    """

    tools: bool = False


class LocalParams(BackendParams):
    """A model in this process.

    Attributes:
        model: Name of a pulled model (``smollm2``), or path of a GGUF file.
        context: Tokens of one request, prompt and reply together.
        slots: Most requests at once; each slot takes memory for a whole context.
        threads: CPU threads; all cores that this process may use when not given.
    """

    context: int = Field(default=4096, ge=256)
    slots: int = Field(default=8, ge=1, le=64)
    threads: int | None = Field(default=None, ge=1)


class ScriptedParams(BackendParams):
    """Where the replies come from.

    Attributes:
        model: Free name of the model; the script itself where `script` and `base_url` are not given.
        script: ``module:function``, ``path/to/file.py:function`` or the path of a JSONL file; relative paths are
            read from the recipe's folder.
        base_url: The same, for recipes: a role has no other place for it.
    """

    script: str | None = None


class ReplayParams(BackendParams):
    """What is replayed.

    Attributes:
        model: The recorded model, ``<backend>/<model>``.
        cassette: A ledger or an exported cassette; relative paths are read from the recipe's folder.
        base_url: The same, for recipes: a role has no other place for it.
    """

    cassette: str | None = None
