"""Compares with every vector, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from symposia.contracts import Hit, IndexEntry
from symposia.errors import NoveltyError
from symposia_plugins.indexes.similarity import checked, similarity

__all__ = ["ExactIndex"]

_FIRST_ROWS = 256


class ExactIndex:
    """Keeps vectors as float32 rows of one matrix that doubles when it is full.

    A matrix product in single precision proposes all rows that could be among the nearest, with a margin that its
    rounding can't exceed; the exact similarity of those decides.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._embedder = ""
        self._dimensions = 0
        self._vectors: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._logs: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._rows: dict[str, int] = {}
        self._longest = 0.0

    async def open(self, embedder: str, dimensions: int) -> None:
        """Open for vectors of this embedder; an open index can only be opened again for the same one.

        Raises:
            NoveltyError: It is open for another embedder or dimension, or the dimension is not positive.
        """
        if dimensions < 1:
            raise NoveltyError(f"an index needs at least one dimension, not {dimensions}")
        if self._embedder and (self._embedder, self._dimensions) != (embedder, dimensions):
            raise NoveltyError(
                f"the index holds vectors of {self._embedder} ({self._dimensions} dimensions), not of {embedder} "
                f"({dimensions})",
                "use the embedder that the index was made with, or a new run",
            )
        if not self._embedder:
            self._embedder, self._dimensions = embedder, dimensions
            self._vectors = np.empty((_FIRST_ROWS, dimensions), dtype=np.float32)
            self._logs = np.empty(_FIRST_ROWS, dtype=np.int64)

    async def ids(self) -> set[str]:
        """All ids that are stored."""
        return set(self._ids)

    async def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Store entries; an id that is there is replaced.

        Raises:
            NoveltyError: The index is not open, or a vector has another length, is zero or not finite.
        """
        self._require_open()
        vectors = [checked(entry.vector, self._dimensions) for entry in entries]
        for entry, vector in zip(entries, vectors, strict=True):
            row = self._rows.get(entry.id)
            if row is None:
                row = len(self._ids)
                self._make_room(row)
                self._rows[entry.id] = row
                self._ids.append(entry.id)
                self._texts.append(entry.text)
            self._texts[row] = entry.text
            self._vectors[row] = vector
            self._logs[row] = entry.log
            self._longest = max(self._longest, float(np.linalg.norm(vector)))

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget entries; the last row takes the place of a forgotten one."""
        for id_ in ids:
            row = self._rows.pop(id_, None)
            if row is None:
                continue
            last_id, last_text = self._ids.pop(), self._texts.pop()
            if row < len(self._ids):
                self._ids[row], self._texts[row], self._rows[last_id] = last_id, last_text, row
                self._vectors[row] = self._vectors[len(self._ids)]
                self._logs[row] = self._logs[len(self._ids)]

    async def search(self, vector: NDArray[np.float32], k: int, as_of: int | None = None) -> list[Hit]:
        """At most ``k`` nearest entries with ``log <= as_of`` (all for None), nearest first, ties by id.

        Raises:
            NoveltyError: The index is not open, or the vector has another length, is zero or not finite.
        """
        self._require_open()
        wanted = checked(vector, self._dimensions)
        size = len(self._ids)
        # Not `@`: a matrix library's threads would fight with those of a model on the same machine.
        rough = np.einsum("ij,j->i", self._vectors[:size], wanted)
        rows = np.arange(size) if as_of is None else np.flatnonzero(self._logs[:size] <= as_of)
        if k < 1 or not len(rows):
            return []
        if k < len(rows):
            among = rough[rows]
            least = np.partition(among, len(among) - k)[len(among) - k]
            rows = rows[among >= least - self._margin(wanted)]
        hits = [
            Hit(self._ids[row], self._texts[row], similarity(wanted, self._vectors[row])) for row in rows.tolist()
        ]
        return sorted(hits, key=lambda hit: (-hit.similarity, hit.id))[:k]

    async def close(self) -> None:
        """Forget everything; may be called twice."""
        self._clear()

    def _margin(self, wanted: NDArray[np.float32]) -> float:
        """More than twice the greatest rounding error of a dot product in float32.

        That error is at most n·u / (1 - n·u) times the product of the norms, u half the machine epsilon (Higham
        2002, "Accuracy and Stability of Numerical Algorithms", section 3.1).
        """
        bound = self._dimensions * float(np.finfo(np.float32).eps)
        return 2 * bound * float(np.linalg.norm(wanted)) * self._longest

    def _make_room(self, row: int) -> None:
        if row < len(self._logs):
            return
        vectors = np.empty((2 * row, self._dimensions), dtype=np.float32)
        logs = np.empty(2 * row, dtype=np.int64)
        vectors[:row], logs[:row] = self._vectors[:row], self._logs[:row]
        self._vectors, self._logs = vectors, logs

    def _require_open(self) -> None:
        if not self._embedder:
            raise NoveltyError("the index is not open")
