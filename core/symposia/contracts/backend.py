"""A model backend: one chat call, and what it is able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pydantic import Field

from symposia.records import JsonObject, Message, Record, Usage

__all__ = [
    "Backend",
    "Capabilities",
    "ChatReply",
    "ChatRequest",
    "CompletingBackend",
    "EmbeddingBackend",
    "JsonSchemaSpec",
    "ScoringBackend",
    "TokenLogprob",
    "TokenizingBackend",
]


class JsonSchemaSpec(Record):
    """The schema a reply must follow, as a plain JSON-schema dict."""

    name: str
    body: JsonObject


class ChatRequest(Record):
    """One request. Everything in it is content: two equal requests may share an answer.

    Attributes:
        model: Model name at the backend.
        messages: The prompt.
        temperature: Sampling temperature.
        top_p: Nucleus sampling.
        max_tokens: Most tokens of a reply.
        n: Number of replies.
        seed: Sampling seed; None at temperature 0.
        stop: Texts that end a reply.
        json_schema: The schema a reply must follow.
        tools: Tool descriptions in the OpenAI form.
        top_logprobs: Alternatives to report for each token; None for no logprobs.
        options: Further sampling settings, sent as they are.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float = 0.7
    top_p: float | None = None
    max_tokens: int = 1024
    n: int = Field(default=1, ge=1)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: JsonSchemaSpec | None = None
    tools: tuple[JsonObject, ...] = ()
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    options: JsonObject = Field(default_factory=dict)


class TokenLogprob(Record):
    """Log-probability (natural log) of one written token, and of its alternatives by text."""

    token: str
    logprob: float
    top: dict[str, float] = Field(default_factory=dict)


class ChatReply(Record):
    """A complete answer.

    Attributes:
        texts: One text for each of the ``n`` replies.
        finish_reasons: Why each reply ended; ``length`` marks a truncated one.
        usage: Tokens and, where known, money.
        logprobs: For each reply its tokens, where asked for.
        tool_calls: For each reply its tool calls in the OpenAI form.
        model_version: What the server called the model, where it says so.
    """

    texts: tuple[str, ...]
    finish_reasons: tuple[str, ...]
    usage: Usage
    logprobs: tuple[tuple[TokenLogprob, ...], ...] | None = None
    tool_calls: tuple[tuple[JsonObject, ...], ...] | None = None
    model_version: str | None = None


class Capabilities(Record):
    """What a backend is able to do with one model. Looked up, never guessed.

    Attributes:
        json_schema: Honours a JSON schema while decoding.
        n: Gives several replies to one request.
        seed: Takes a sampling seed.
        logprobs: Reports log-probabilities.
        tools: Takes tool descriptions.
        complete: Has ``complete(prompt)``, the bare continuation of a text.
        embed: Has ``embed(texts)``.
        tokenize: Has ``tokenize(text)``.
        score: Has ``score(text)``, the log-probabilities of a given text.
        context_tokens: Longest prompt and reply together, where known.
        priced: Whether replies carry their price; None where that shows only in a reply.
    """

    json_schema: bool = False
    n: bool = False
    seed: bool = False
    logprobs: bool = False
    tools: bool = False
    complete: bool = False
    embed: bool = False
    tokenize: bool = False
    score: bool = False
    context_tokens: int | None = None
    priced: bool | None = None


@runtime_checkable
class Backend(Protocol):
    """Answers chat requests for one model at one endpoint.

    A backend makes exactly one attempt a call. Waiting, retrying, storing and counting are done around it, so it
    raises what happened: `RateLimitedError` or `TransientError` to be asked again, `EndpointError` when no request
    can succeed, `RequestError` when this one can't.
    """

    @property
    def identity(self) -> str:
        """What the answers depend on beside the request: weights digest or configured host, never port or key."""

    @property
    def endpoint(self) -> str:
        """What shares one rate limit: address and key slot, without the key."""

    async def capabilities(self) -> Capabilities:
        """What this backend is able to do with its model."""

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Answer one request within ``timeout_s`` seconds on the wire."""

    async def close(self) -> None:
        """Free connections, processes and memory; may be called twice."""


@runtime_checkable
class CompletingBackend(Backend, Protocol):
    """A backend that announces ``complete``."""

    async def complete(self, prompt: str, request: ChatRequest, timeout_s: float) -> ChatReply:
        """Continue a bare text; the request's messages are ignored."""


@runtime_checkable
class EmbeddingBackend(Backend, Protocol):
    """A backend that announces ``embed``."""

    async def embed(self, texts: Sequence[str], timeout_s: float) -> list[list[float]]:
        """One vector a text, in order."""


@runtime_checkable
class TokenizingBackend(Backend, Protocol):
    """A backend that announces ``tokenize``."""

    async def tokenize(self, text: str, timeout_s: float) -> list[int]:
        """Token ids of a text, without special tokens."""


@runtime_checkable
class ScoringBackend(Backend, Protocol):
    """A backend that announces ``score``."""

    async def score(self, text: str, timeout_s: float) -> tuple[TokenLogprob, ...]:
        """Log-probability of each token of a given text."""
