"""Turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Embedder", "Vectors"]

Vectors = NDArray[np.float32]
"""Rows of unit length, shape ``(texts, dimensions)``."""


class Embedder(Protocol):
    """Makes one vector a text; the vector of a text must not depend on the batch it came in."""

    @property
    def name(self) -> str:
        """Name and version or weights digest; an index made with another name is refused."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape ``(len(texts), dimensions)``.

        Raises:
            NoveltyError: A text is empty, or its vector is zero or not finite.
        """

    async def close(self) -> None:
        """Free what was loaded; may be called twice."""
