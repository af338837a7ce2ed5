"""A cassette: recorded answers that stand in for every backend.

A cassette is a ledger, or some of its entries as JSON lines. A role whose model is ``replay/<backend>/<model>``
with the cassette's path as ``base_url`` is answered out of it alone, under the keys of the model that was recorded.
So a run replayed with the same seed gives the same answers without a key, a server or a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import orjson
from sqlalchemy import func, select

from symposia.contracts import Capabilities, ChatReply, ChatRequest
from symposia.errors import EndpointError, RequestError, SourceError, did_you_mean
from symposia.llm import tables
from symposia.llm.entry import Entry
from symposia.llm.explain import Near, near_in_ledger, nearest
from symposia.llm.keys import Draw, LogicalModel, Pieces, pieces_of

__all__ = ["Cassette", "ReplayBackend", "export_cassette"]

_FORM = 1
_SQLITE = b"SQLite format 3\x00"
_BATCH = 200


class _Tape(Protocol):
    """Where a cassette's entries are."""

    def models(self) -> list[LogicalModel]: ...

    def find(self, key: str) -> Entry | None: ...

    def failure(self, key: str) -> tuple[str, str] | None: ...

    def near(self, wanted: Pieces) -> list[Near]: ...

    def close(self) -> None: ...


class Cassette:
    """Recorded answers. Made by `Cassette.open`."""

    def __init__(self, path: Path, tape: _Tape) -> None:
        self.path = path
        self._tape = tape
        self._models = tape.models()

    @classmethod
    def open(cls, path: Path) -> Cassette:
        """Open a ledger or a file that `export_cassette` wrote.

        Raises:
            SourceError: There is no such file, or it is neither.
            StoreError: It is a ledger that can't be read.
        """
        try:
            with path.open("rb") as file:
                start = file.read(len(_SQLITE))
        except OSError as exc:
            raise SourceError(
                f"cassette {path}: {exc.strerror}", "give the path of a ledger or of an exported cassette"
            ) from None
        return cls(path, _LedgerTape(path) if start == _SQLITE else _LineTape(path))

    def model(self, name: str) -> LogicalModel:
        """The recorded model called ``<backend>/<model>``; the one recorded first, where there are several.

        Raises:
            EndpointError: None of its answers is recorded.
        """
        for model in self._models:
            if model.name == name:
                return model
        raise EndpointError(
            f"cassette {self.path} holds no answer of '{name}'",
            did_you_mean(name, sorted({model.name for model in self._models})),
        )

    def lookup(self, pieces: Pieces) -> Entry | None:
        """The recorded answer to a request, whatever host its model was recorded at; None when there is none.

        Raises:
            RequestError: The request is recorded as one that could not be answered.
        """
        same = [model for model in self._models if model.name == pieces.model.name]
        keys = [pieces.key, *(pieces.to(model).key for model in same if model != pieces.model)]
        for key in keys:
            entry = self._tape.find(key)
            if entry is not None:
                return entry
        for key in keys:
            failed = self._tape.failure(key)
            if failed is not None:
                raise RequestError(failed[1], failed[0])
        return None

    def missing(self, pieces: Pieces) -> EndpointError:
        """The error for a request that is not recorded; it names what the nearest recorded one has different."""
        near = self._tape.near(pieces)
        hint = "record the run anew, or replay it with the recipe and the version that recorded it"
        if near:
            fields = "; ".join(str(difference) for difference in near[0].differences[:3])
            hint += f". The nearest recorded request, {near[0].key[:16]}, differs in {fields}"
        return EndpointError(
            f"cassette {self.path} holds no answer to request {pieces.key[:16]} of {pieces.model.name}", hint
        )

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._tape.close()


class ReplayBackend:
    """What the offer ``replay`` builds: a model out of a cassette; implements `symposia.contracts.Backend`.

    A client that is given one answers out of `cassette` before anything is sent. Asked directly, it knows no draw,
    and so only requests at temperature 0.

    Args:
        path: A ledger or an exported cassette.
        model: Name of the recorded model, ``<backend>/<model>``.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.cassette = Cassette.open(path)
        try:
            self.logical = self.cassette.model(model)
        except EndpointError:
            self.cassette.close()
            raise

    @property
    def identity(self) -> str:
        """That of the recorded model."""
        return self.logical.identity

    @property
    def endpoint(self) -> str:
        """The cassette."""
        return f"cassette {self.cassette.path}"

    async def capabilities(self) -> Capabilities:
        """Nothing is sent, so nothing needs to be able to do anything."""
        return Capabilities()

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        """The recorded answer to a request at temperature 0.

        Raises:
            EndpointError: It is not recorded.
        """
        pieces = pieces_of(request, self.logical, Draw(0, 0, "", "", 0, 0, 0))
        entry = self.cassette.lookup(pieces)
        if entry is None:
            raise self.cassette.missing(pieces)
        return entry.answer

    async def close(self) -> None:
        """Close the cassette."""
        self.cassette.close()


def export_cassette(ledger_path: Path, keys: Iterable[str] | None, path: Path) -> int:
    """Write entries of a ledger as a cassette of JSON lines, in the order in which they were stored.

    Args:
        ledger_path: The ledger.
        keys: The keys to write, for example those of all turns of a run; None for all. Failures are written in any
            case: no turn holds their keys.
        path: The file to write.

    Returns:
        Number of answers written.
    """
    engine = tables.open_to_read(ledger_path)
    written = 0
    wanted = None if keys is None else set(keys)
    with tables.store_errors(ledger_path), engine.connect() as connection, path.open("wb") as file:
        file.write(orjson.dumps({"symposia_cassette": _FORM}) + b"\n")
        rows = connection.execution_options(yield_per=_BATCH)
        for row in rows.execute(select(tables.entries)):
            if wanted is None or row.key in wanted:
                file.write(_line(Entry._make(row)) + b"\n")
                written += 1
        for failed in rows.execute(select(tables.failures)):
            fields = {"key": failed.key, "cause": failed.cause, "message": failed.message}
            file.write(orjson.dumps({"failure": fields}) + b"\n")
    return written


# -- tapes --------------------------------------------------------------------------------------------------------


class _LedgerTape:
    """Entries in a ledger file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = tables.open_to_read(path).connect()
        self._entry_sql = tables.select_sql(tables.entries)
        self._failure_sql = tables.select_sql(tables.failures)

    def models(self) -> list[LogicalModel]:
        entry = tables.entries.c
        seen = (
            select(entry.backend, entry.model, entry.identity)
            .group_by(entry.backend, entry.model, entry.identity)
            .order_by(func.min(entry.created))
        )
        with tables.store_errors(self._path):
            found = [LogicalModel(*row) for row in self._connection.execute(seen)]
            self._connection.rollback()
        return found

    def find(self, key: str) -> Entry | None:
        with tables.store_errors(self._path):
            row = self._connection.exec_driver_sql(self._entry_sql, (f'["{key}"]',)).first()
            self._connection.rollback()
        return Entry._make(row) if row is not None else None

    def failure(self, key: str) -> tuple[str, str] | None:
        with tables.store_errors(self._path):
            row = self._connection.exec_driver_sql(self._failure_sql, (f'["{key}"]',)).first()
            self._connection.rollback()
        return (row[2], row[3]) if row is not None else None

    def near(self, wanted: Pieces) -> list[Near]:
        return near_in_ledger(self._path, wanted)

    def close(self) -> None:
        self._connection.close()


class _LineTape:
    """Entries in a file of JSON lines; only their keys and places are held in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._places: dict[str, int] = {}
        self._failures: dict[str, tuple[str, str]] = {}
        self._seen: dict[LogicalModel, None] = {}
        self._read()

    def _read(self) -> None:
        place = 0
        for number, line in enumerate(self._file, 1):
            try:
                self._place(number, place, orjson.loads(line))
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
                self._file.close()
                raise SourceError(
                    f"{self._path}:{number}: not a line of a cassette ({type(exc).__name__}: {exc})",
                    "give the path of a ledger or of an exported cassette",
                ) from None
            place += len(line)
        if not place:
            self._file.close()
            raise SourceError(f"cassette {self._path} is empty", "record the run anew")

    def _place(self, number: int, place: int, found: dict[str, object]) -> None:
        if number == 1:
            if found["symposia_cassette"] != _FORM:
                raise KeyError("written by another version")
        elif "failure" in found:
            failure = found["failure"]
            if isinstance(failure, dict):
                self._failures.setdefault(failure["key"], (failure["cause"], failure["message"]))
        else:
            self._places.setdefault(str(found["key"]), place)
            who = (str(found[name]) for name in ("backend", "model", "identity"))
            self._seen.setdefault(LogicalModel(*who))

    def models(self) -> list[LogicalModel]:
        return list(self._seen)

    def find(self, key: str) -> Entry | None:
        place = self._places.get(key)
        if place is None:
            return None
        self._file.seek(place)
        return _entry(self._file.readline())

    def failure(self, key: str) -> tuple[str, str] | None:
        return self._failures.get(key)

    def near(self, wanted: Pieces) -> list[Near]:
        return nearest(wanted, self._all())

    def _all(self) -> Iterator[Entry]:
        for key in self._places:
            entry = self.find(key)
            if entry is not None:
                yield entry

    def close(self) -> None:
        self._file.close()


_NESTED = ("draw", "notes", "frame", "reply", "messages")


def _line(entry: Entry) -> bytes:
    fields = entry._asdict()
    for name in _NESTED:
        fields[name] = orjson.Fragment(fields[name])
    return orjson.dumps(fields)


def _entry(line: bytes) -> Entry:
    fields = orjson.loads(line)
    for name in _NESTED:
        fields[name] = orjson.dumps(fields[name]).decode()
    return Entry(**fields)
