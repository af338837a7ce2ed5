"""Holds vectors and proposes the nearest ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Hit", "Index", "IndexEntry"]


class IndexEntry(NamedTuple):
    """One stored vector.

    Attributes:
        id: Unique name; the same id again replaces the entry.
        log: Settle-log number at which it was admitted.
        text: The compared text, shown when it is named as a neighbour.
        vector: Unit vector, float32, shape ``(dimensions,)``.
    """

    id: str
    log: int
    text: str
    vector: NDArray[np.float32]


class Hit(NamedTuple):
    """A neighbour; `similarity` is the float64 dot product of the stored vectors."""

    id: str
    text: str
    similarity: float


class Index(Protocol):
    """A projection of the store: it can always be rebuilt from there. Approximate search only proposes."""

    async def open(self, embedder: str, dimensions: int) -> None:
        """Open for vectors of this embedder.

        Raises:
            NoveltyError: It was made with another embedder or dimension, or another process owns it.
        """

    async def ids(self) -> set[str]:
        """All ids that are stored, for reconciling with the store."""

    async def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Store entries; an id that is there is replaced."""

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget entries; unknown ids are no error."""

    async def search(self, vector: NDArray[np.float32], k: int, as_of: int | None = None) -> list[Hit]:
        """At most ``k`` nearest entries with ``log <= as_of`` (all for None), nearest first, ties by id."""

    async def close(self) -> None:
        """Release files and locks; may be called twice."""
