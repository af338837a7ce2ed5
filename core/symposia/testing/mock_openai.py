"""A server that speaks OpenAI's HTTP and answers from the request alone; latency and faults can be put in.

In a test::

    async with MockOpenAI(lambda request: "Paris.") as mock:
        ...  # ask mock.base_url

As a process of its own: ``python -m symposia.testing.mock_openai --port 0`` prints its address as one JSON line.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web

from symposia.records import JsonObject, JsonValue
from symposia.testing.answers import logprobs_of, rng_of, text_of, token_ids, vector_of
from symposia.testing.mock_bodies import body_of, completion, default_answer, envelope, words_in

__all__ = ["Answer", "Faults", "MockOpenAI", "MockReply"]


@dataclass(frozen=True)
class MockReply:
    """A whole HTTP answer, in place of a text.

    Attributes:
        status: HTTP status.
        body: JSON value, or the bytes themselves.
        headers: Further headers.
    """

    status: int = 200
    body: JsonValue | bytes = None
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[JsonObject], "JsonValue | MockReply | Awaitable[JsonValue | MockReply]"]
"""Gives the answer to a request's body: a text, a JSON value that becomes the text, or a whole HTTP answer."""


@dataclass(frozen=True)
class Faults:
    """How often a request is answered badly, each a share from 0 to 1.

    Which requests are hit is drawn from the mock's seed, the body, and how often that body came before.

    Attributes:
        rate_limited: 429 with ``Retry-After``.
        server_error: 500.
        dropped: The connection is closed without an answer.
        truncated: The connection is closed in the middle of the body.
        garbage: 200 with a body that is no JSON.
        retry_after_s: Seconds in ``Retry-After``.
    """

    rate_limited: float = 0.0
    server_error: float = 0.0
    dropped: float = 0.0
    truncated: float = 0.0
    garbage: float = 0.0
    retry_after_s: float = 0.05


PAGES = ("/v1/completions", "/v1/embeddings", "/v1/models", "/tokenize", "/version", "/openapi.json")
"""The pages that the mock has beside chat."""

_KINDS = ("rate_limited", "server_error", "dropped", "truncated", "garbage")


class MockOpenAI:
    """The server. Use it as an asynchronous context manager, or `start` and `close` it.

    Args:
        answer: Answers chat requests; by default a text, or an instance of the schema, from the request alone.
        models: Names it serves; empty for any name.
        latency_s: Mean time before an answer.
        jitter: Spread of the latency around its mean, from 0 to 1.
        faults: What goes wrong.
        seed: Of latencies and faults, never of answers.
        key: The key that requests must carry; None for any.
        max_model_len: Longest prompt and reply together, in words.
        pages: The pages it has beside chat; all when not given.
        embeddings: The answer of ``/v1/embeddings``; vectors when not given.

    Attributes:
        requests: Chat requests received.
        answered: For each body (SHA-256) how often it got a whole answer with status 200.
        bodies: The bodies received, the latest 10,000.
        in_flight: Chat requests under way.
        max_in_flight: Most of them at once so far.
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        models: tuple[str, ...] = (),
        latency_s: float = 0.0,
        jitter: float = 0.5,
        faults: Faults | None = None,
        seed: int = 0,
        key: str | None = None,
        max_model_len: int = 4096,
        pages: Collection[str] = PAGES,
        embeddings: MockReply | None = None,
    ) -> None:
        self._answer = answer or default_answer
        self._models = models
        self._latency_s = latency_s
        self._jitter = jitter
        self._faults = faults or Faults()
        self._seed = seed
        self._key = key
        self._max_model_len = max_model_len
        self._pages = frozenset(pages)
        self._embeddings = embeddings
        self._latencies = random.Random(seed)
        self._seen: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None
        self.requests = 0
        self.answered: Counter[str] = Counter()
        self.bodies: list[JsonObject] = []
        self.in_flight = 0
        self.max_in_flight = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        """Address, up to ``/v1``."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self, port: int = 0) -> str:
        """Listen on a port of this machine, any free one by default, and give the address."""
        app = web.Application(client_max_size=64 << 20, middlewares=[self._guard])
        app.router.add_post("/v1/chat/completions", self._chat)
        for path, (method, page) in self._other_pages().items():
            if path in self._pages:
                app.router.add_route(method, path, page)
        app.router.add_get("/mock/stats", self._stats)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        listening = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = listening.getsockname()[1]
        await web.SockSite(self._runner, listening, backlog=1024).start()
        return self.base_url

    async def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- chat -----------------------------------------------------------------------------------------------

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            if self._latency_s:
                await asyncio.sleep(self._latency_s * self._latencies.uniform(1 - self._jitter, 1 + self._jitter))
            return await self._answered(request, raw)
        finally:
            self.in_flight -= 1

    async def _answered(self, request: web.Request, raw: bytes) -> web.StreamResponse:
        body = body_of(raw)
        digest = hashlib.sha256(raw).hexdigest()
        before = self._seen[digest]
        self._seen[digest] += 1
        self.bodies.append(body)
        del self.bodies[:-10_000]
        fault = self._fault(digest, before)
        if fault in ("rate_limited", "server_error", "garbage"):
            return self._faulty(fault)
        if fault == "dropped":
            return _hang_up(request)
        refused = self._refused(body)
        if refused is not None:
            return refused
        said = self._answer(body)
        if inspect.isawaitable(said):
            said = await said
        reply = said if isinstance(said, MockReply) else MockReply(body=completion(body, said))
        if fault == "truncated":
            return await _half(request, _bytes(reply))
        if reply.status == 200:
            self.answered[digest] += 1
        return _plain(reply)

    def _fault(self, digest: str, before: int) -> str | None:
        draw = rng_of("fault", self._seed, digest, before).random()
        for kind in _KINDS:
            draw -= getattr(self._faults, kind)
            if draw < 0:
                return kind
        return None

    def _faulty(self, kind: str) -> web.Response:
        if kind == "rate_limited":
            headers = {"Retry-After": f"{self._faults.retry_after_s:g}"}
            return _error(429, "too many requests", "rate_limit_exceeded", headers)
        if kind == "server_error":
            return _error(500, "something went wrong", "server_error")
        return web.Response(body=b'{"choices": [{"mess\xff\xfe', content_type="application/json")

    def _refused(self, body: JsonObject) -> web.Response | None:
        model = body.get("model")
        if self._models and model not in self._models:
            return _error(404, f"The model `{model}` does not exist.", "model_not_found")
        limit = body.get("max_tokens")
        words = words_in(body) + (limit if isinstance(limit, int) else 0)
        if words > self._max_model_len:
            said = f"This model's maximum context length is {self._max_model_len} tokens; {words} were asked for."
            return _error(400, said, "context_length_exceeded")
        return None

    def _other_pages(self) -> dict[str, tuple[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]]:
        return {
            "/v1/completions": ("POST", self._complete),
            "/v1/embeddings": ("POST", self._embed),
            "/tokenize": ("POST", self._tokenize),
            "/v1/models": ("GET", self._list_models),
            "/version": ("GET", _version),
            "/openapi.json": ("GET", self._describe),
        }

    # -- the rest -------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        wants_key = self._key is not None and request.path.startswith("/v1/")
        if wants_key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return _error(401, "Incorrect API key provided.", "invalid_api_key")
        try:
            return await handler(request)
        except (ValueError, KeyError, TypeError) as exc:
            return _error(400, f"{type(exc).__name__}: {exc}", "invalid_request_error")

    async def _complete(self, request: web.Request) -> web.Response:
        body = body_of(await request.read())
        prompt = str(body["prompt"])
        choice: JsonObject = {"index": 0, "text": text_of(rng_of("completion", body)), "finish_reason": "stop"}
        if "prompt_logprobs" in body:
            scored: list[JsonValue] = [None]
            for place, one in list(enumerate(logprobs_of(prompt, 0)))[1:]:
                scored.append({str(place): {"logprob": one["logprob"], "rank": 1, "decoded_token": one["token"]}})
            choice["prompt_logprobs"] = scored
        return web.json_response(envelope(body, [choice], len(prompt.split())))

    async def _embed(self, request: web.Request) -> web.Response:
        if self._embeddings is not None:
            return _plain(self._embeddings)
        texts = body_of(await request.read())["input"]
        listed = texts if isinstance(texts, list) else [texts]
        rows = [{"index": place, "embedding": vector_of(str(text))} for place, text in enumerate(listed)]
        return web.json_response({"object": "list", "data": rows, "model": "mock"})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = body_of(await request.read())
        tokens = token_ids(str(body.get("prompt", body.get("content"))))
        return web.json_response({"tokens": tokens, "count": len(tokens), "max_model_len": self._max_model_len})

    async def _list_models(self, request: web.Request) -> web.Response:
        listed = [{"id": name, "object": "model", "max_model_len": self._max_model_len} for name in self._models]
        return web.json_response({"object": "list", "data": listed})

    async def _describe(self, request: web.Request) -> web.Response:
        return web.json_response({"paths": {path: {} for path in ("/v1/chat/completions", *self._pages)}})

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": self.requests,
                "max_in_flight": self.max_in_flight,
                "answered": sum(self.answered.values()),
                "answered_twice": sum(count > 1 for count in self.answered.values()),
                "hashes": dict(self.answered),
            }
        )


async def _version(request: web.Request) -> web.Response:
    return web.json_response({"version": "mock"})


def _bytes(reply: MockReply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)


def _plain(reply: MockReply) -> web.Response:
    headers = {"Content-Type": "application/json", **reply.headers}
    return web.Response(status=reply.status, body=_bytes(reply), headers=headers)


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": "mock", "code": code}}, status=status, headers=headers
    )


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, data: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    return _hang_up(request)


if __name__ == "__main__":
    from symposia.testing.mock_process import main

    main()
