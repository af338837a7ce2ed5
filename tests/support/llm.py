"""A backend that answers by a function, and what is needed to seat it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from symposia.contracts import Ask, Capabilities, ChatReply, ChatRequest, RoleModel, Schema
from symposia.hookspecs import hookimpl
from symposia.host import Host, Workbench
from symposia.llm import Budget, Draw, Ledger, LogicalModel, Patience, ReplayBackend, Seating
from symposia.llm.entry import Entry, entry_of
from symposia.llm.keys import pieces_of
from symposia.offers import BackendParams, BuildContext, Offer
from symposia.records import Message, RoleSpec, Usage

SPEC = RoleSpec(model="fake/model", temperature=0.7, max_tokens=64, timeout_s=5)
ABLE = Capabilities(json_schema=True, n=True, seed=True, logprobs=True, tools=True)
HASTY = Patience(tries=4, base_s=0.002, cap_s=0.01, unproven_cap_s=0.005, grace_s=0.05)
"""Retries without waiting."""

PROMPT: tuple[Message, ...] = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"})

Told = str | ChatReply
Tell = Callable[[ChatRequest], Told | Awaitable[Told]]


def reply(text: str, finish: str = "stop", cost: float | None = 0.0, n: int = 1) -> ChatReply:
    """A plain reply of 10 + 5 tokens."""
    usage = Usage(calls=1, prompt_tokens=10, completion_tokens=5, cost_usd=cost)
    return ChatReply(texts=(text,) * n, finish_reasons=(finish,) * n, usage=usage)


class FakeBackend:
    """Answers by a function; remembers what it was sent and how much at once."""

    def __init__(
        self,
        tell: Tell,
        able: Capabilities = ABLE,
        identity: str = "host-a",
        endpoint: str = "endpoint-a",
        delay_s: float = 0.0,
    ) -> None:
        self.tell = tell
        self.able = able
        self.identity = identity
        self.endpoint = endpoint
        self.delay_s = delay_s
        self.sent: list[ChatRequest] = []
        self.at_once = self.most_at_once = 0
        self.looked = 0
        self.closed = False
        self._arrivals: asyncio.Queue[None] = asyncio.Queue()

    async def arrived(self, count: int) -> None:
        """Wait until so many more requests have come."""
        for _ in range(count):
            await self._arrivals.get()

    async def capabilities(self) -> Capabilities:
        self.looked += 1
        return self.able

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        self.sent.append(request)
        self._arrivals.put_nowait(None)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay_s)
            told = self.tell(request)
            if not isinstance(told, (str, ChatReply)):
                told = await told
            return reply(told, n=request.n) if isinstance(told, str) else told
        finally:
            self.at_once -= 1

    async def close(self) -> None:
        self.closed = True


class FakePlugin:
    """Offers ``fake``, which builds the given backends by address, and ``replay``."""

    __name__ = "fake-models"

    def __init__(self, backends: Mapping[str | None, FakeBackend]) -> None:
        self.backends = backends
        self.built: list[BackendParams] = []

    def _build(self, params: BackendParams, context: BuildContext) -> FakeBackend:
        self.built.append(params)
        return self.backends[params.base_url]

    @hookimpl
    def register_backends(self) -> list[Offer[FakeBackend | ReplayBackend]]:
        def replay(params: BackendParams, context: BuildContext) -> ReplayBackend:
            return ReplayBackend(context.base / str(params.base_url), params.model)

        return [
            Offer("fake", self._build, "Answers by a function.", BackendParams),
            Offer("replay", replay, "Answers out of a cassette.", BackendParams),
        ]


@asynccontextmanager
async def seating(
    ledger: Path,
    *backends: FakeBackend,
    run: str = "run-1",
    seed: int = 7,
    in_flight: int = 16,
    budget: Budget | None = None,
    frozen: Mapping[str, RoleSpec] | None = None,
    patience: Patience = HASTY,
) -> AsyncIterator[Seating]:
    """A seating; the first backend has no address, further ones are at ``http://1``, ``http://2``."""
    by_url: dict[str | None, FakeBackend] = {
        f"http://{place}" if place else None: backend for place, backend in enumerate(backends)
    }
    host = Host(allow=(), block=("symposia",), extra=[FakePlugin(by_url)])
    opened = await Ledger.open(ledger)
    seats = Seating(
        Workbench(host, ledger.parent),
        opened,
        run=run,
        run_seed=seed,
        in_flight=in_flight,
        budget=budget or Budget(),
        frozen=frozen,
        patience=patience,
    )
    try:
        yield seats
    finally:
        await seats.close()
        await opened.close()


class Verdict(BaseModel):
    """A small answer."""

    verdict: Literal["yes", "no"]
    reason: str


class Small(BaseModel):
    """A smaller answer."""

    verdict: Literal["yes", "no"]


VERDICT = Schema.of(Verdict)
SMALL = Schema.of(Small)
GOOD = '{"verdict": "yes", "reason": "so"}'


def question(
    task: int = 0, text: str = "Why?", schema: Schema | None = None, smaller: Schema | None = None, n: int = 1
) -> Ask:
    """A question to a role."""
    messages = (PROMPT[0], user(text))
    return Ask(task=task, round=0, kind="propose", messages=messages, schema=schema, smaller=smaller, n=n)


def user(text: str) -> Message:
    """A user's message."""
    return {"role": "user", "content": text}


MODEL = LogicalModel("fake", "model", "host-a")
REQUEST = ChatRequest(model="model", messages=PROMPT)


def entry(task: int, text: str = "because", run: str = "run-1", cost: float | None = 0.5) -> Entry:
    """A ledger entry."""
    pieces = pieces_of(REQUEST, MODEL, Draw(7, task, "teacher", "propose", 0, 0, 0))
    return entry_of(pieces, reply(text, cost=cost), run=run, created=1.0 + task, seconds=0.25)


async def texts(model: RoleModel, count: int) -> list[str]:
    """The answers to the same question in many tasks at once."""
    answers = await asyncio.gather(*(model.ask(question(task)) for task in range(count)))
    return [answer.text for answer in answers]
