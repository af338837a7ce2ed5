"""One answered request, as the ledger keeps it."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from symposia.contracts import ChatReply
from symposia.llm.keys import LogicalModel, Pieces
from symposia.records import JsonObject, JsonValue, Usage
from symposia.secrets import redact

__all__ = ["Entry", "entry_of"]


class Entry(NamedTuple):
    """A row of the ledger; the fields are its columns, in order.

    Attributes:
        key: The request's key.
        run: The run that paid for the answer.
        backend: Name of the backend.
        model: Name of the model at the backend.
        identity: What the answers depend on beside the request.
        messages_hash: SHA-256 of the prompt.
        draw: The draw, JSON.
        created: When it was stored, seconds since 1970.
        seconds: Time on the wire.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        cost_usd: US dollars, or None when the price is unknown.
        notes: What the backend could not do and was done instead, a JSON list of texts.
        frame: Sampling, schema and tools, JSON.
        reply: The answer, JSON.
        messages: The prompt, JSON.
    """

    key: str
    run: str
    backend: str
    model: str
    identity: str
    messages_hash: str
    draw: str
    created: float
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    notes: str
    frame: str
    reply: str
    messages: str

    @property
    def logical(self) -> LogicalModel:
        """Who answered."""
        return LogicalModel(self.backend, self.model, self.identity)

    @property
    def usage(self) -> Usage:
        """Tokens and money of the answer."""
        return Usage(
            calls=1,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost_usd=self.cost_usd,
        )

    @property
    def answer(self) -> ChatReply:
        """The answer as a record."""
        return ChatReply.model_validate_json(self.reply)

    @property
    def request(self) -> JsonObject:
        """The canonical request."""
        request: JsonObject = {"messages": orjson.loads(self.messages), **orjson.loads(self.frame)}
        return request

    @property
    def drawn(self) -> JsonValue:
        """The draw: 0, or an object with its parts."""
        drawn: JsonValue = orjson.loads(self.draw)
        return drawn

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes."""
        return tuple(orjson.loads(self.notes)) if self.notes != "[]" else ()


def entry_of(
    pieces: Pieces, reply: ChatReply, *, run: str, created: float, seconds: float, notes: tuple[str, ...] = ()
) -> Entry:
    """The row that keeps ``reply`` as the answer to what ``pieces`` ask."""
    return Entry(
        pieces.key,
        run,
        pieces.model.backend,
        pieces.model.model,
        pieces.model.identity,
        pieces.messages_hash,
        pieces.draw,
        created,
        seconds,
        reply.usage.prompt_tokens,
        reply.usage.completion_tokens,
        reply.usage.cost_usd,
        redact(orjson.dumps(notes).decode()) if notes else "[]",
        redact(pieces.frame),
        reply.model_dump_json(),
        redact(pieces.messages),
    )
