"""Near duplicates by the cosine similarity of embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from symposia.contracts import Embedder, GateEntry, Hit, Index, IndexEntry
from symposia.errors import NoveltyError
from symposia.records import Draft, JsonValue, Neighbour, NoveltyVerdict
from symposia_plugins.novelty import EmbeddingParams

__all__ = ["EmbeddingCheck"]

_FLOAT = np.dtype("<f4")
_BATCH = 1024
_SAME = 1 - 1e-6
"""Similarity from which vectors count as equal: unit vectors in float32 miss unit length by up to about 1e-7."""
_PLAIN_TEXT = "The lighthouse stands on a rock in the sea."


class EmbeddingCheck:
    """Holds what was admitted in an index, and what is reserved but not settled in a second one, in memory.

    A probe sees the first up to a settle-log number; a comparison sees both. The entry of a task is never compared
    with the task's own draft. A draft without text in the compared fields has no embedding and is never novel.

    Args:
        params: Threshold and fields.
        index: Holds settled entries; a projection of the store.
        held: An empty index for entries that are not settled.
        embedder: Makes the vectors.
    """

    def __init__(self, params: EmbeddingParams, index: Index, held: Index, embedder: Embedder) -> None:
        self._params = params
        self._index = index
        self._held = held
        self._embedder = embedder
        self._settled: dict[int, str] = {}
        self._reserved: dict[int, str] = {}

    @property
    def name(self) -> str:
        """``embedding``."""
        return "embedding"

    async def open(self, entries: Sequence[GateEntry]) -> None:
        """Open the indexes and make them hold exactly these entries.

        The name of an entry in an index tells its content, so only what differs is written.

        Raises:
            NoveltyError: The index belongs to another embedder or process, or an entry holds no vector of this
                embedder.
        """
        for index in (self._index, self._held):
            await index.open(self._embedder.name, self._embedder.dimensions)
        settled = [entry for entry in entries if entry.log > 0]
        reserved = [entry for entry in entries if entry.log <= 0]
        self._settled = {entry.task: _name(entry) for entry in settled}
        self._reserved = {entry.task: _name(entry) for entry in reserved}
        await self._make(self._index, settled)
        await self._make(self._held, reserved)

    async def _make(self, index: Index, entries: Sequence[GateEntry]) -> None:
        there = await index.ids()
        await index.remove(sorted(there - {_name(entry) for entry in entries}))
        missing = [entry for entry in entries if _name(entry) not in there]
        for start in range(0, len(missing), _BATCH):
            await index.upsert([self._stored(entry) for entry in missing[start : start + _BATCH]])

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict:
        """Compare with what was admitted up to settle-log number ``as_of``; changes nothing."""
        vector = await self._vector(self._text(draft))
        hits = [] if vector is None else await self._index.search(vector, self._params.neighbours, as_of)
        return self._verdict(draft, hits, known=vector is not None)

    async def compare(self, draft: Draft, task: int) -> tuple[NoveltyVerdict, GateEntry]:
        """Compare with everything that is held now, and give the entry that would hold the draft."""
        text = self._text(draft)
        vector = await self._vector(text)
        if vector is None:
            return self._verdict(draft, [], known=False), GateEntry(self.name, task, 0, text, b"")
        most = self._params.neighbours
        found = [hit for index in (self._index, self._held) for hit in await index.search(vector, most + 1)]
        others = (hit for hit in found if _task(hit.id) != task)
        hits = sorted(others, key=lambda hit: (-hit.similarity, hit.id))[:most]
        entry = GateEntry(self.name, task, 0, text, vector.astype(_FLOAT).tobytes())
        return self._verdict(draft, hits, known=True), entry

    async def hold(self, entry: GateEntry) -> None:
        """Hold an entry from now on; one with a settle-log number takes the place of the unsettled one.

        Raises:
            NoveltyError: The entry holds no vector of this embedder.
        """
        stored = self._stored(entry)
        await self.release(entry.task)
        if entry.log > 0:
            await self._index.upsert([stored])
            self._settled[entry.task] = stored.id
        else:
            await self._held.upsert([stored])
            self._reserved[entry.task] = stored.id

    async def release(self, task: int) -> None:
        """Hold the entry of a task no longer."""
        for index, names in ((self._index, self._settled), (self._held, self._reserved)):
            name = names.pop(task, None)
            if name is not None:
                await index.remove([name])

    async def close(self) -> None:
        """Close indexes and embedder; may be called twice."""
        for part in (self._index, self._held, self._embedder):
            await part.close()

    def _text(self, draft: Draft) -> str:
        if not self._params.fields:
            return draft.text
        texts = (text for name in self._params.fields for text in _texts(draft.payload.get(name)))
        return "\n".join(texts)

    async def _vector(self, text: str) -> NDArray[np.float32] | None:
        """The embedding, or None for a text that has none."""
        try:
            vectors = await self._embedder.embed([text])
        except NoveltyError:
            # Either the text has no embedding, or the embedder is broken; then this raises too.
            await self._embedder.embed([_PLAIN_TEXT])
            return None
        vector: NDArray[np.float32] = vectors[0]
        return vector

    def _verdict(self, draft: Draft, hits: Sequence[Hit], *, known: bool) -> NoveltyVerdict:
        nearest = hits[0].similarity if hits else 0.0
        named = (Neighbour(id=str(_task(hit.id)), text=hit.text, similarity=hit.similarity) for hit in hits)
        return NoveltyVerdict(
            check=self.name,
            novel=known and nearest < min(self._params.threshold, _SAME),
            threshold=self._params.threshold,
            similarity=nearest,
            neighbours=tuple(named),
            round=draft.round,
        )

    def _stored(self, entry: GateEntry) -> IndexEntry:
        if len(entry.data) != _FLOAT.itemsize * self._embedder.dimensions:
            raise NoveltyError(
                f"the gate's entry of task {entry.task} holds {len(entry.data)} bytes, no vector of "
                f"{self._embedder.dimensions} float32 numbers",
                "use the embedder that the run was made with, or start a new run",
            )
        vector = np.frombuffer(entry.data, dtype=_FLOAT).astype(np.float32)
        return IndexEntry(_name(entry), entry.log, entry.text, vector)


def _name(entry: GateEntry) -> str:
    """The index's name for an entry: its task, with zeros so that names sort as tasks do, and what it holds."""
    content = hashlib.blake2b(entry.data + entry.text.encode("utf-8"), digest_size=6).hexdigest()
    return f"{entry.task:08d}.{entry.log}.{content}"


def _task(name: str) -> int:
    return int(name.partition(".")[0])


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
