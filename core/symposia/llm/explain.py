"""Why a request was answered out of the ledger, or was not: `symposia cache explain`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import orjson
from sqlalchemy import ColumnElement, Connection, case, func, select

from symposia.errors import UsageError
from symposia.llm import tables
from symposia.llm.entry import Entry
from symposia.llm.keys import UNDRAWN, LogicalModel, Pieces
from symposia.records import JsonObject, JsonValue, Usage

__all__ = ["Difference", "Explanation", "Near", "explain", "nearest"]

_CONTEXT = 40
_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two requests differ, for example ``messages[1].content``."""

    field: str
    here: str
    there: str

    def __str__(self) -> str:
        return f"{self.field}: {self.here}  ≠  {self.there}"


@dataclass(frozen=True, slots=True)
class Near:
    """Another entry, and in what it differs; the draw's run seed and task number count as fields."""

    key: str
    run: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known about one request.

    Attributes:
        key: Its key.
        model: Who was asked.
        draw: Which answer was meant: 0, or an object.
        request: The canonical request.
        reply: The answer; None when the request could not be answered.
        failure: Why it could not be answered; empty when it was.
        run: The run that asked first, and paid.
        created: When that was.
        seconds: How long the answer took.
        usage: What it cost.
        truncated: Whether the answer was cut off, and so was none.
        notes: What the backend could not do and was done instead.
        nearest: Entries that are nearly the same request.
    """

    key: str
    model: LogicalModel | None
    draw: JsonValue
    request: JsonObject
    reply: JsonObject | None
    failure: str
    run: str
    created: datetime
    seconds: float
    usage: Usage
    truncated: bool
    notes: tuple[str, ...]
    nearest: tuple[Near, ...]

    def render(self) -> str:
        """The explanation as text."""
        return "\n".join(_lines(self))


def explain(ledger_path: Path, key_or_prefix: str) -> Explanation:
    """What the ledger knows about a request.

    Args:
        ledger_path: The ledger file.
        key_or_prefix: The request's key or its first digits, as they stand in a turn of a transcript.

    Raises:
        UsageError: No request has this key, or several have.
        StoreError: There is no ledger, or it can't be read.
    """
    engine = tables.open_to_read(ledger_path)
    with tables.store_errors(ledger_path), engine.connect() as connection:
        key = _resolve(connection, key_or_prefix.strip().lower())
        row = connection.execute(select(tables.entries).where(tables.entries.c.key == key)).first()
        if row is not None:
            entry = Entry._make(row)
            return _of_entry(entry, tuple(nearest(pieces(entry), _candidates(connection, pieces(entry)))))
        failed = connection.execute(select(tables.failures).where(tables.failures.c.key == key)).one()
        return Explanation(
            key=key,
            model=None,
            draw=None,
            request={},
            reply=None,
            failure=f"{failed.cause}: {failed.message}",
            run=failed.run,
            created=datetime.fromtimestamp(failed.created, UTC),
            seconds=0.0,
            usage=Usage(),
            truncated=False,
            notes=(),
            nearest=(),
        )


def pieces(entry: Entry) -> Pieces:
    """What an entry's key was made of."""
    return Pieces(entry.key, entry.logical, entry.messages, entry.messages_hash, entry.frame, entry.draw)


def nearest(wanted: Pieces, candidates: Iterable[Entry], most: int = 3) -> list[Near]:
    """The candidates that differ least from a request, with the fields in which they differ."""
    found = []
    for entry in candidates:
        if entry.key == wanted.key:
            continue
        apart = tuple(_differences("", _fields(wanted), _fields(pieces(entry))))
        shared = _shared(wanted.messages, entry.messages)
        same_prompt = wanted.messages_hash == entry.messages_hash
        found.append(((not same_prompt, len(apart), -shared, entry.created), Near(entry.key, entry.run, apart)))
    found.sort(key=lambda each: each[0])
    return [near for _, near in found[:most]]


def near_in_ledger(ledger_path: Path, wanted: Pieces) -> list[Near]:
    """The entries of a ledger that are nearest to a request that is not in it."""
    engine = tables.open_to_read(ledger_path)
    with tables.store_errors(ledger_path), engine.connect() as connection:
        return nearest(wanted, _candidates(connection, wanted))


def _resolve(connection: Connection, prefix: str) -> str:
    if not prefix or prefix.strip("0123456789abcdef"):
        raise UsageError(f"'{prefix}' is no request key", "keys are hexadecimal; `symposia show TASK` lists them")
    found: list[str] = []
    for table in (tables.entries, tables.failures):
        asked = select(table.c.key).where(table.c.key >= prefix, table.c.key < prefix + "g").limit(5)
        found.extend(connection.execute(asked).scalars())
    keys = sorted(set(found))
    if not keys:
        raise UsageError(
            f"no request of this ledger has a key that starts with '{prefix}'",
            "a request that was never answered has no entry; keys stand in the turns of a transcript",
        )
    if len(keys) > 1 and prefix not in keys:
        raise UsageError(f"several keys start with '{prefix}'", "give more digits: " + ", ".join(keys))
    return prefix if prefix in keys else keys[0]


def _candidates(connection: Connection, wanted: Pieces) -> Iterator[Entry]:
    """Entries that share the most with a request; short columns decide, so a scan reads little."""
    column = tables.entries.c
    closeness: ColumnElement[int] = case((column.messages_hash == wanted.messages_hash, 8), else_=0)
    closeness = closeness + case((column.frame == wanted.frame, 2), else_=0)
    closeness = closeness + case((column.model == wanted.model.model, 1), else_=0)
    if wanted.draw != UNDRAWN:
        drawn = orjson.loads(wanted.draw)
        for name in ("task", "role", "kind", "round"):
            part = func.json_extract(column.draw, f"$.{name}")
            closeness = closeness + case((part == drawn[name], 1), else_=0)
    closest = (
        select(column.key)
        .where(column.key != wanted.key)
        .order_by(closeness.desc(), column.created)
        .limit(_CANDIDATES)
    )
    for row in connection.execute(select(tables.entries).where(column.key.in_(closest))):
        yield Entry._make(row)


def _of_entry(entry: Entry, near: tuple[Near, ...]) -> Explanation:
    reply: JsonObject = orjson.loads(entry.reply)
    return Explanation(
        key=entry.key,
        model=entry.logical,
        draw=entry.drawn,
        request=entry.request,
        reply=reply,
        failure="",
        run=entry.run,
        created=datetime.fromtimestamp(entry.created, UTC),
        seconds=entry.seconds,
        usage=entry.usage,
        truncated="length" in entry.answer.finish_reasons,
        notes=entry.remarks,
        nearest=near,
    )


# -- differences --------------------------------------------------------------------------------------------------


def _fields(wanted: Pieces) -> JsonObject:
    model = wanted.model
    fields: JsonObject = {
        "model": {"backend": model.backend, "model": model.model, "identity": model.identity},
        "draw": orjson.loads(wanted.draw),
        "messages": orjson.loads(wanted.messages),
        **orjson.loads(wanted.frame),
    }
    return fields


_ABSENT = "(absent)"


def _differences(field: str, here: JsonValue, there: JsonValue) -> Iterator[Difference]:
    if here == there:
        return
    if isinstance(here, dict) and isinstance(there, dict):
        for name in dict.fromkeys([*here, *there]):
            inside = f"{field}.{name}" if field else name
            yield from _differences(inside, here.get(name, _ABSENT), there.get(name, _ABSENT))
    elif isinstance(here, list) and isinstance(there, list):
        for index, (one, other) in enumerate(zip_longest(here, there, fillvalue=_ABSENT)):
            yield from _differences(f"{field}[{index}]", one, other)
    elif isinstance(here, str) and isinstance(there, str) and _ABSENT not in (here, there):
        start = _shared(here, there)
        where = f"{field} from character {start}" if start else field
        yield Difference(where, _excerpt(here, start), _excerpt(there, start))
    else:
        yield Difference(field, _short(here), _short(there))


def _shared(one: str, other: str) -> int:
    """Number of characters with which both texts begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _excerpt(text: str, start: int) -> str:
    piece = text[start : start + _CONTEXT]
    return repr(piece) + (" …" if len(text) > start + _CONTEXT else "")


def _short(value: JsonValue) -> str:
    if value == _ABSENT:
        return _ABSENT
    text = orjson.dumps(value).decode()
    return text if len(text) <= 2 * _CONTEXT else text[: 2 * _CONTEXT] + " …"


# -- text ---------------------------------------------------------------------------------------------------------


def _lines(what: Explanation) -> Iterator[str]:
    yield f"request   {what.key}"
    when = what.created.strftime("%Y-%m-%d %H:%M:%S UTC")
    if what.failure:
        yield f"failed    {what.failure}"
        yield f"asked by  run {what.run}, {when}"
        yield "A failed request is not reused: whoever asks it again sends it again; only a replay follows it."
        return
    if what.model is not None:
        yield f"model     {what.model.name}  ({what.model.identity})"
    yield "draw      " + _drawn(what.draw)
    cost = "price unknown" if what.usage.cost_usd is None else f"${what.usage.cost_usd:.6f}"
    tokens = f"{what.usage.prompt_tokens} + {what.usage.completion_tokens} tokens"
    yield f"paid by   run {what.run}, {when}: {tokens}, {cost}, {what.seconds:.2f} s"
    yield "          a miss then, because no entry had this key; every later request with it is a hit"
    if what.truncated:
        yield "          the answer was cut off (finish reason 'length'): it is kept, but it is no answer"
    for note in what.notes:
        yield f"note      {note}"
    yield from _request_lines(what)
    if not what.nearest:
        yield "nearest   no other request is near to this one"
    for near in what.nearest:
        yield f"nearest   {near.key[:16]}  (run {near.run}) differs in"
        for difference in near.differences[:8]:
            yield f"          {difference}"
        if len(near.differences) > 8:
            yield f"          and {len(near.differences) - 8} more"


def _drawn(draw: JsonValue) -> str:
    if not isinstance(draw, dict):
        return "0: at temperature 0 equal requests share one answer"
    return ", ".join(f"{name} {value}" for name, value in draw.items())


def _request_lines(what: Explanation) -> Iterator[str]:
    frame = {name: value for name, value in what.request.items() if name != "messages"}
    yield "asked     " + orjson.dumps(frame).decode()
    messages = what.request.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            yield f"  [{message.get('role')}]"
            yield from (f"    {line}" for line in str(message.get("content", "")).splitlines())
    texts = (what.reply or {}).get("texts")
    for text in texts if isinstance(texts, list) else []:
        yield "  [answer]"
        yield from (f"    {line}" for line in str(text).splitlines())
