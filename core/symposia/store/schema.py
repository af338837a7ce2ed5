"""Tables of a run's store, and what every connection to one needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from symposia.errors import StoreError

__all__ = [
    "SCHEMA_VERSION",
    "assigned",
    "create_schema",
    "gate",
    "meta",
    "open_engine",
    "reviews",
    "rows",
    "settle_log",
    "store_errors",
    "tasks",
]

SCHEMA_VERSION = 1

metadata = MetaData()

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

settle_log = Table(
    "settle_log",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("task", Integer, nullable=False),
    Column("outcome", String, nullable=False),
    Column("at", String, nullable=False),
)
"""The order in which things were decided: one number a settled task, review or withdrawal."""

tasks = Table(
    "tasks",
    metadata,
    Column("task", Integer, primary_key=True, autoincrement=False),
    Column("log", Integer, ForeignKey("settle_log.log"), nullable=True),
    Column("outcome", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("persona", String, nullable=True),
    Column("source_id", String, nullable=True),
    Column("score", Float, nullable=True),
    Column("calls", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=True),
    Column("decision", Text, nullable=False),
    Column("negotiation", Text, nullable=True),
    Column("sample", Text, nullable=True),
    Index("tasks_by_outcome", "outcome", "task"),
)
"""The fate of every candidate. `log` is empty for surplus ones, which were never settled."""

gate = Table(
    "gate",
    metadata,
    Column("check", String, primary_key=True),
    Column("task", Integer, primary_key=True),
    Column("log", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""What the novelty gate holds: admitted samples and the reservations of parked ones."""

reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("task", Integer, nullable=False),
    Column("decision", Text, nullable=False),
    Column("log", Integer, nullable=True),
    Column("problem", Text, nullable=True),
)
"""What people decided, in the order it came. `log` is its place in the settle log, `problem` why it has none."""

assigned = Table(
    "assigned",
    metadata,
    Column("task", Integer, primary_key=True, autoincrement=False),
    Column("log", Integer, nullable=False),
    Column("like", Integer, nullable=False),
    Column("parameters", Text, nullable=False),
)
"""Task numbers that were not drawn but given: to a sample that was sent back, or to a failed task asked again."""

rows = Table(
    "rows",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("fields", Text, nullable=False),
)
"""The source as it was read at the first start."""


def open_engine(path: Path, *, write: bool) -> Engine:
    """An engine on one SQLite file: WAL, a patient lock, and no create when only reading.

    Raises:
        StoreError: The file is not there, or is no store.
    """
    if not write and not path.is_file():
        raise StoreError(f"no store at {path}", "name a run folder; `symposia ls` lists them")
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        if write:
            cursor.execute("PRAGMA journal_mode=WAL")
        # A commit survives the death of the process; only a power cut can take the last ones.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    return engine


def create_schema(engine: Engine, path: Path) -> None:
    """Make the tables of a new store, or check those of an old one.

    Raises:
        StoreError: The store was written by a newer version, or is damaged.
    """
    with store_errors(path):
        if not inspect(engine).has_table("meta"):
            with engine.begin() as connection:
                metadata.create_all(connection)
                connection.execute(meta.insert().values(key="schema", value=str(SCHEMA_VERSION)))
            return
        with engine.connect() as connection:
            found = connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar()
    if found is None or not found.isdigit():
        raise StoreError(f"{path} is no store of a run", "name a run folder")
    if int(found) > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {found}; this version of Symposia reads up to {SCHEMA_VERSION}",
            "upgrade Symposia: pip install -U symposia",
        )


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Say what a database error means to the one who runs the command."""
    try:
        yield
    except OperationalError as exc:
        text = str(exc.orig)
        if "full" in text or "disk I/O" in text:
            raise StoreError(
                f"{path}: {text}",
                "free some space and run the same command again; everything settled so far is kept",
            ) from exc
        if "readonly" in text or "unable to open" in text:
            raise StoreError(f"{path}: {text}", "check the folder and its permissions") from exc
        raise StoreError(f"{path}: {text}", "run the same command again") from exc
    except DatabaseError as exc:
        raise StoreError(f"{path} is damaged or no store: {exc.orig}", "start anew with --new") from exc
