"""One model at one endpoint: an answer comes out of the ledger, or goes over the wire once and into it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import time

from symposia.contracts import Backend, Capabilities, ChatReply, ChatRequest
from symposia.errors import RequestError, UsageError
from symposia.llm.budget import Budget
from symposia.llm.cassette import Cassette
from symposia.llm.entry import Entry, entry_of
from symposia.llm.keys import Draw, LogicalModel, Pieces, pieces_of, sampling_seed
from symposia.llm.ledger import Ledger
from symposia.llm.limits import Lane, Patience
from symposia.llm.structured import Said, describe_schema
from symposia.llm.tally import Tally
from symposia.llm.wire import Wire
from symposia.records import Usage

__all__ = ["Books", "Client"]


@dataclass(frozen=True, slots=True)
class Books:
    """What all models of a run share.

    Attributes:
        ledger: Where answers are kept.
        run: The run that pays.
        budget: What it may spend.
        tally: What it did.
        flights: For each key under way the future of those who wait for the same answer, once somebody does.
    """

    ledger: Ledger
    run: str
    budget: Budget
    tally: Tally = field(default_factory=Tally)
    flights: dict[str, asyncio.Future[Said] | None] = field(default_factory=dict)


class Client:
    """Asks one model.

    Args:
        backend: What answers.
        model: Who that is, logically.
        lane: The endpoint's limit.
        books: What all models of the run share.
        patience: How long a request is tried again.
        cassette: Recorded answers, used instead of the backend.
    """

    def __init__(
        self,
        backend: Backend,
        model: LogicalModel,
        lane: Lane,
        books: Books,
        patience: Patience | None = None,
        cassette: Cassette | None = None,
    ) -> None:
        self.model = model
        self._wire = Wire(backend, model.name, lane, books.budget, patience or Patience())
        self._books = books
        self._cassette = cassette
        self._able: Capabilities | None = None
        self._looking: asyncio.Task[Capabilities] | None = None
        self._priced = False
        self._pricing = asyncio.Lock()

    async def chat(self, request: ChatRequest, draw: Draw, timeout_s: float) -> Said:
        """Answer a request.

        The request says what is wanted; what the backend is not able to do is done in another way and noted. The
        sampling seed is no part of it: it follows from the draw. At temperature 0 all ``n`` replies are one.

        Raises:
            RequestError: The request itself can't be answered.
            EndpointError: No request can be answered.
            CapExceededError: A cap leaves no room, or can't be judged.
            UsageError: The request needs something that the backend does not have.
            StoreError: The ledger can't be used.
        """
        if request.n == 1:
            return await self._once(request, draw, timeout_s)
        if request.temperature == 0:
            one = await self._once(request.model_copy(update={"n": 1}), draw, timeout_s)
            return Said(one.keys, _repeated(one.reply, request.n), one.notes)
        stored = await self._stored(pieces_of(request, self.model, draw))
        if stored is not None:
            return stored
        if self._cassette is None and (await self._capabilities()).n:
            return await self._once(request, draw, timeout_s)
        draws = [draw.of_choice(choice) for choice in range(request.n)]
        # All of them end before an error is raised: what is answered is paid for, and must be stored.
        said = await asyncio.gather(
            *(self._once(_alone(request, each), each, timeout_s) for each in draws), return_exceptions=True
        )
        return _joined(said)

    async def close(self) -> None:
        """Stop timers and what is being looked up; may be called twice."""
        self._wire.close()
        if self._looking is not None:
            self._looking.cancel()

    # -- out of the ledger, or over the wire once -----------------------------------------------------------

    async def _once(self, request: ChatRequest, draw: Draw, timeout_s: float) -> Said:
        pieces = pieces_of(request, self.model, draw)
        flights = self._books.flights
        while pieces.key in flights:
            same = flights[pieces.key]
            if same is None:
                same = flights[pieces.key] = asyncio.get_running_loop().create_future()
            try:
                said = await asyncio.shield(same)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not same.cancelled() or (task is not None and task.cancelling()):
                    raise
                # Whoever asked was called off, we were not: ask in their place.
                continue
            self._books.tally.hits += 1
            return said
        flights[pieces.key] = None
        try:
            said = await self._stored(pieces) or await self._ask(request, pieces, timeout_s)
        except BaseException as exc:
            waiting = flights.pop(pieces.key)
            if waiting is not None:
                _pass_on(exc, waiting)
            raise
        waiting = flights.pop(pieces.key)
        if waiting is not None and not waiting.done():
            waiting.set_result(said)
        return said

    async def _stored(self, pieces: Pieces) -> Said | None:
        entry = await self._books.ledger.get(pieces.key)
        if entry is None and self._cassette is not None:
            recorded = self._cassette.lookup(pieces)
            entry = await self._books.ledger.put(recorded) if recorded is not None else None
        if entry is None:
            return None
        self._books.tally.hits += 1
        return _said(entry)

    async def _ask(self, request: ChatRequest, pieces: Pieces, timeout_s: float) -> Said:
        books = self._books
        if self._cassette is not None:
            raise self._cassette.missing(pieces)
        wire, notes = self._fitted(request, self._able or await self._capabilities())
        try:
            reply, seconds = await self._sent(wire, timeout_s)
        except RequestError as exc:
            await books.ledger.fail(pieces.key, run=books.run, cause=exc.cause, message=exc.message)
            raise
        entry = entry_of(pieces, reply, run=books.run, created=time(), seconds=seconds, notes=notes)
        counts = await books.ledger.put(entry)
        return Said((entry.key,), reply, notes) if counts is entry else _said(counts)

    async def _sent(self, request: ChatRequest, timeout_s: float) -> tuple[ChatReply, float]:
        """Send and pay. Where money is capped, the first goes alone: it shows whether there is a price at all."""
        if not self._priced and self._books.budget.max_cost_usd is not None:
            async with self._pricing:
                if not self._priced:
                    reply, seconds = await self._wire.send(request, timeout_s)
                    self._priced = True
                    self._pay(reply)
                    return reply, seconds
        reply, seconds = await self._wire.send(request, timeout_s)
        self._pay(reply)
        return reply, seconds

    def _pay(self, reply: ChatReply) -> None:
        self._books.budget.add(reply.usage, self.model.name)
        self._books.tally.answer(reply.usage)

    # -- what the backend is able to do ---------------------------------------------------------------------

    async def _capabilities(self) -> Capabilities:
        """Looked up before the first request goes out, and not at all where every answer is stored."""
        if self._able is not None:
            return self._able
        looking = self._looking
        if looking is None:
            looking = self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.shield(looking)
        finally:
            if looking.done() and self._looking is looking:
                self._looking = None

    async def _look(self) -> Capabilities:
        able = await self._wire.capabilities()
        if able.priced is False and self._books.budget.max_cost_usd is not None:
            raise self._books.budget.unpriced(self.model.name)
        self._priced = able.priced is True
        self._able = able
        return able

    def _fitted(self, request: ChatRequest, able: Capabilities) -> tuple[ChatRequest, tuple[str, ...]]:
        """The request as this backend can take it, and what had to be changed."""
        if request.top_logprobs is not None and not able.logprobs:
            raise self._unable("log-probabilities of tokens", "logprobs")
        if request.tools and not able.tools:
            raise self._unable("tools", "tools")
        notes: list[str] = []
        update: dict[str, object] = {}
        if request.json_schema is not None and not able.json_schema:
            update["messages"] = describe_schema(request.messages, request.json_schema)
            update["json_schema"] = None
            notes.append("schema described in the prompt: the backend does not constrain its decoding")
        if request.seed is not None and not able.seed:
            update["seed"] = None
            notes.append("no sampling seed: the backend takes none")
        return (request.model_copy(update=update) if update else request), tuple(notes)

    def _unable(self, what: str, capability: str) -> UsageError:
        return UsageError(
            f"{self.model.name} is asked for {what}, which its backend does not give (capability '{capability}')",
            "choose another model or backend for this role, or a part that does without",
        )


def _alone(request: ChatRequest, draw: Draw) -> ChatRequest:
    """The request for one of several replies."""
    return request.model_copy(update={"n": 1, "seed": sampling_seed(draw.canonical(request.temperature))})


def _said(entry: Entry) -> Said:
    return Said((entry.key,), entry.answer, entry.remarks)


def _pass_on(exc: BaseException, waiting: asyncio.Future[Said]) -> None:
    if waiting.done():
        return
    if isinstance(exc, Exception):
        waiting.set_exception(exc)
    else:
        waiting.cancel()


def _repeated(reply: ChatReply, n: int) -> ChatReply:
    return reply.model_copy(
        update={
            "texts": reply.texts[:1] * n,
            "finish_reasons": reply.finish_reasons[:1] * n,
            "logprobs": reply.logprobs[:1] * n if reply.logprobs is not None else None,
            "tool_calls": reply.tool_calls[:1] * n if reply.tool_calls is not None else None,
        }
    )


def _joined(parts: list[Said | BaseException]) -> Said:
    """Replies that were asked for one by one, as one."""
    said: list[Said] = []
    for part in parts:
        if isinstance(part, BaseException):
            raise part
        said.append(part)
    replies = [each.reply for each in said]
    with_logprobs = all(reply.logprobs is not None for reply in replies)
    with_calls = all(reply.tool_calls is not None for reply in replies)
    usage = Usage()
    for reply in replies:
        usage = usage + reply.usage
    joined = ChatReply(
        texts=tuple(reply.texts[0] for reply in replies),
        finish_reasons=tuple(reply.finish_reasons[0] for reply in replies),
        usage=usage,
        logprobs=tuple(tokens for r in replies for tokens in (r.logprobs or ())[:1]) if with_logprobs else None,
        tool_calls=tuple(calls for r in replies for calls in (r.tool_calls or ())[:1]) if with_calls else None,
        model_version=replies[0].model_version,
    )
    notes = dict.fromkeys(note for each in said for note in each.notes)
    return Said(
        tuple(key for each in said for key in each.keys),
        joined,
        (*notes, f"asked {len(said)} times for one reply: the backend gives no several"),
    )
