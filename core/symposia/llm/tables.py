"""The tables of the ledger file, and what every connection to one needs.

The file is SQLite in WAL mode: several processes read and write it at once, and a process that is killed loses only
what it had not committed. Statements are written with SQLAlchemy Core and compiled once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    column,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from symposia.errors import StoreError

__all__ = [
    "SCHEMA_VERSION",
    "entries",
    "failures",
    "insert_sql",
    "open_to_read",
    "open_to_write",
    "select_sql",
    "store_errors",
    "verdicts",
]

SCHEMA_VERSION = 1
_APPLICATION = 0x53594D50
"""``SYMP`` in the header of the file, so that another program's database is told from a ledger."""
_BUSY_S = 60.0

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("key", String, primary_key=True),
    Column("run", String, nullable=False),
    Column("backend", String, nullable=False),
    Column("model", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("messages_hash", String, nullable=False),
    Column("draw", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=True),
    Column("notes", Text, nullable=False),
    Column("frame", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("messages", Text, nullable=False),
    Index("bill", "run", "backend", "model", "prompt_tokens", "completion_tokens", "cost_usd"),
)
"""One answered request a row. Short columns stand first: a scan that looks for near requests skips long texts."""

failures = Table(
    "failures",
    metadata,
    Column("key", String, primary_key=True),
    Column("run", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("created", Float, nullable=False),
)
"""Requests that could not be answered. Only a replay follows them; a run asks again."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("key", String, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("created", Float, nullable=False),
)

_DIALECT = sqlite.dialect()


def insert_sql(table: Table) -> str:
    """Puts a row unless its key is there; parameters are the table's columns in order."""
    statement = insert(table).prefix_with("OR IGNORE").values([bindparam(c.name) for c in table.columns])
    return str(statement.compile(dialect=_DIALECT))


def select_sql(table: Table) -> str:
    """Reads the rows of many keys; the one parameter is a JSON list of them, so that the text never changes."""
    keys: Select[tuple[str]] = select(column("value")).select_from(func.json_each(bindparam("keys")))
    return str(select(table).where(table.c.key.in_(keys)).compile(dialect=_DIALECT))


def open_to_write(path: Path) -> Engine:
    """An engine on the ledger, which is made where there is none.

    Raises:
        StoreError: The file can't be used, is something else, or comes from a newer Symposia.
    """
    with store_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreError(f"ledger {path}: {exc.strerror}", "choose a folder that can be written") from exc
        engine = _engine(path)
        with engine.connect() as connection:
            _prepare(connection, path)
        return engine


def open_to_read(path: Path) -> Engine:
    """An engine on a ledger that must be there.

    Raises:
        StoreError: There is none, the file is something else, or it comes from a newer Symposia.
    """
    if not path.is_file():
        raise StoreError(
            f"there is no ledger at {path}", "a run writes one beside its folder: <runs>/ledger.sqlite"
        )
    with store_errors(path):
        engine = _engine(path)
        with engine.connect() as connection:
            _check(connection, path)
        return engine


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": _BUSY_S}
    )

    @event.listens_for(engine, "connect")
    def _(raw: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        # A killed process loses nothing that was committed; a power cut may lose the last second, never the file.
        raw.execute("PRAGMA synchronous=NORMAL")

    return engine


def _prepare(connection: Connection, path: Path) -> None:
    _check(connection, path)
    deadline = monotonic() + _BUSY_S
    while True:
        # Two processes that open a new file at once may find it locked here whatever the busy timeout is.
        try:
            mode = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
            break
        except DatabaseError as exc:
            if "locked" not in str(exc) or monotonic() > deadline:
                raise
            sleep(0.02)
    if mode != "wal":
        raise StoreError(f"ledger {path}: the disk can't hold a write-ahead log", "keep runs on a local disk")
    connection.rollback()
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if _check(connection, path) == 0:
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(f"PRAGMA application_id={_APPLICATION}")
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.commit()


def _check(connection: Connection, path: Path) -> int:
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    application: int = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
    if not empty and application != _APPLICATION:
        raise StoreError(f"{path} is a database, but not a ledger of Symposia", "choose another folder for runs")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"ledger {path} was written by a newer Symposia (schema {version}, this one reads {SCHEMA_VERSION})",
            "update Symposia: pip install -U symposia",
        )
    return version


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what the database raises into `StoreError` that says what to do."""
    try:
        yield
    except DatabaseError as exc:
        raise _explained(path, str(exc.orig)) from exc
    except sqlite3.DatabaseError as exc:
        raise _explained(path, str(exc)) from exc


def _explained(path: Path, text: str) -> StoreError:
    for word, hint in _HINTS.items():
        if word in text:
            return StoreError(f"ledger {path}: {text}", hint)
    return StoreError(f"ledger {path}: {text}", "check that the file can be read and written")


_HINTS: dict[str, str] = {
    "full": "free some disk space and run the same command again; every stored answer is kept",
    "not a database": "the file is damaged or something else; move it away, and a new ledger is made",
    "malformed": "the file is damaged; move it away, and a new ledger is made",
    "locked": "another process holds the ledger for too long; end it, or keep runs on a local disk",
    "readonly": "give write permission to the file and its folder",
    "unable to open": "check that the folder exists and can be written",
    "I/O error": "check the disk, then run the same command again",
}
