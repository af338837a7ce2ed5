"""Chroma in the run's folder.

Chroma's graph search is approximate and keeps re-normalised copies of the vectors, so it only proposes: the
original float32 bytes lie beside each entry, and the exact similarity of those decides. Chroma is not safe for two
processes on one folder; a lock keeps a second one out.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from symposia.contracts import Hit, IndexEntry
from symposia.errors import NoveltyError, boundary
from symposia_plugins.indexes import ChromaParams
from symposia_plugins.indexes.similarity import checked, similarity

__all__ = ["ChromaIndex"]

T = TypeVar("T")

_COLLECTION = "novelty"
_GRAPH = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32}


class ChromaIndex:
    """A persistent collection; all calls run on one thread of its own.

    Args:
        folder: The run's folder; the index lies in ``chroma`` below it.
        params: How thoroughly it searches.

    Raises:
        NoveltyError: There is no run folder.
    """

    def __init__(self, folder: Path | None, params: ChromaParams) -> None:
        if folder is None:
            raise NoveltyError("the index 'chroma' needs a run folder to keep its files", "use the index 'exact'")
        self._path = folder / "chroma"
        self._params = params
        self._dimensions = 0
        self._client: Any = None
        self._collection: Any = None
        self._lock: IO[str] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="symposia-chroma")

    async def open(self, embedder: str, dimensions: int) -> None:
        """Open for vectors of this embedder; an open index can only be opened again for the same one.

        Raises:
            NoveltyError: It was made with another embedder or dimension, its space is not cosine, another process
                owns it, or Chroma can't open its files.
        """
        await self._run(lambda: self._open(embedder, dimensions))

    async def ids(self) -> set[str]:
        """All ids that are stored."""
        return await self._run(lambda: set(self._opened().get(include=[])["ids"]))

    async def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Store entries in batches that Chroma takes; an id that is there is replaced.

        Raises:
            NoveltyError: The index is not open, a vector has another length, is zero or not finite, or Chroma
                can't write.
        """
        await self._run(lambda: self._upsert(entries))

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget entries; unknown ids are no error."""

        def delete() -> None:
            collection = self._opened()
            for batch in self._batches(list(dict.fromkeys(ids))):
                collection.delete(ids=batch)

        await self._run(delete)

    async def search(self, vector: NDArray[np.float32], k: int, as_of: int | None = None) -> list[Hit]:
        """At most ``k`` nearest of the proposed entries with ``log <= as_of`` (all for None), ties by id.

        Raises:
            NoveltyError: The index is not open, or the vector has another length, is zero or not finite.
        """
        return await self._run(lambda: self._search(vector, k, as_of)) if k > 0 else []

    async def close(self) -> None:
        """Close the files and give up the lock; may be called twice."""
        await self._run(self._close)

    async def _run(self, work: Callable[[], T]) -> T:
        def bounded() -> T:
            with boundary(NoveltyError, f"chroma index in {self._path}"):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, bounded)

    def _open(self, embedder: str, dimensions: int) -> None:
        if self._collection is not None:
            self._check(self._collection, embedder, dimensions)
            return
        self._lock = _owned(self._path)
        try:
            self._client, self._collection = self._connect(embedder, dimensions)
        except BaseException:
            self._close()
            raise
        self._dimensions = dimensions

    def _connect(self, embedder: str, dimensions: int) -> tuple[Any, Any]:
        import chromadb
        from chromadb.config import Settings

        # No ``.env``: it is read for secrets, and must not reconfigure a database.
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        client = self._client = chromadb.PersistentClient(path=str(self._path), settings=settings)
        collection = client.get_or_create_collection(
            _COLLECTION,
            embedding_function=None,
            metadata={"embedder": embedder, "dimensions": dimensions},
            configuration={"hnsw": {**_GRAPH, "ef_search": self._params.ef_search}},
        )
        self._check(collection, embedder, dimensions)
        if _graph(collection).get("ef_search") != self._params.ef_search:
            collection.modify(configuration={"hnsw": {"ef_search": self._params.ef_search}})
        return client, collection

    def _check(self, collection: Any, embedder: str, dimensions: int) -> None:
        """Chroma silently keeps the settings a collection was made with, so they are read back."""
        made = collection.metadata or {}
        if (made.get("embedder"), made.get("dimensions")) != (embedder, dimensions):
            raise NoveltyError(
                f"the index in {self._path} was made with {made.get('embedder')} ({made.get('dimensions')} "
                f"dimensions), not with {embedder} ({dimensions})",
                "use that embedder, or start a new run",
            )
        space = _graph(collection).get("space")
        if space != "cosine":
            raise NoveltyError(f"the index in {self._path} measures {space}, not cosine", "start a new run")

    def _opened(self) -> Any:
        if self._collection is None:
            raise NoveltyError("the index is not open")
        return self._collection

    def _batches(self, items: Sequence[T]) -> Iterator[list[T]]:
        size = int(self._client.get_max_batch_size())
        return (list(items[start : start + size]) for start in range(0, len(items), size))

    def _upsert(self, entries: Sequence[IndexEntry]) -> None:
        collection = self._opened()
        latest = {entry.id: entry for entry in entries}
        plain = [entry._replace(vector=checked(entry.vector, self._dimensions)) for entry in latest.values()]
        for batch in self._batches(plain):
            collection.upsert(
                ids=[entry.id for entry in batch],
                embeddings=np.stack([entry.vector for entry in batch]),
                metadatas=[
                    {"log": entry.log, "text": entry.text, "vector": _packed(entry.vector)} for entry in batch
                ],
            )

    def _search(self, vector: NDArray[np.float32], k: int, as_of: int | None) -> list[Hit]:
        wanted = checked(vector, self._dimensions)
        most = max(2 * k, self._params.candidates)
        kept = self._propose(wanted, most, None)
        if as_of is not None:
            # Nearly everything is old enough; Chroma's own filter takes six times as long and is seldom needed.
            old = [(id_, meta) for id_, meta in kept if meta["log"] <= as_of]
            kept = old if len(old) >= k or len(kept) < most else self._propose(wanted, most, as_of)
        hits = [Hit(id_, meta["text"], similarity(wanted, _unpacked(meta["vector"]))) for id_, meta in kept]
        return sorted(hits, key=lambda hit: (-hit.similarity, hit.id))[:k]

    def _propose(
        self, wanted: NDArray[np.float32], most: int, as_of: int | None
    ) -> list[tuple[str, dict[str, Any]]]:
        found = self._opened().query(
            query_embeddings=wanted[np.newaxis],
            n_results=most,
            where=None if as_of is None else {"log": {"$lte": as_of}},
            include=["metadatas"],
        )
        return list(zip(found["ids"][0], found["metadatas"][0], strict=True))

    def _close(self) -> None:
        client, lock = self._client, self._lock
        self._client = self._collection = self._lock = None
        if client is not None:
            client.close()
        if lock is not None:
            lock.close()


def _owned(path: Path) -> IO[str]:
    """The lock on a folder, held until it is closed; it goes away with the process."""
    path.mkdir(parents=True, exist_ok=True)
    file = (path / "owner.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise NoveltyError(f"the index in {path} is held by {holder}", "wait for it, or end it") from None
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()
    return file


def _graph(collection: Any) -> dict[str, Any]:
    settings: dict[str, Any] = collection.configuration_json.get("hnsw") or {}
    return settings


def _packed(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")
