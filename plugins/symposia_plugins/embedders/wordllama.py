"""WordLlama: the mean of static token vectors, weights and tokenizer inside its wheel.

Each text is embedded alone, the mean taken in double precision, so that a vector does not depend on what else was
embedded with it. The package looks for its tokenizer in the user's cache and then on the network; its own folder as
the cache, and no downloads, keep it offline.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symposia.contracts import Vectors
from symposia.errors import NoveltyError

__all__ = ["WordLlamaEmbedder"]

_DIMENSIONS = 256
_CONFIG = "l2_supercat"
_SLOW = 256
"""Texts in one call from which on the event loop is not made to wait."""


class WordLlamaEmbedder:
    """The default embedder.

    Raises:
        NoveltyError: The installed package does not hold its weights.
    """

    def __init__(self) -> None:
        self._model, self._name = _load()

    @property
    def name(self) -> str:
        """Package version and digest of weights and tokenizer."""
        return self._name

    @property
    def dimensions(self) -> int:
        """256."""
        return _DIMENSIONS

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape ``(len(texts), 256)``.

        Raises:
            NoveltyError: A text is empty, or its vector is zero or not finite; the embedder was closed.
        """
        if len(texts) < _SLOW:
            return self._embed(texts)
        return await asyncio.to_thread(self._embed, list(texts))

    async def close(self) -> None:
        """Free the weights; may be called twice."""
        self._model = None

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._one(text)
        return vectors

    def _one(self, text: str) -> NDArray[np.float32]:
        if self._model is None:
            raise NoveltyError("the embedder 'wordllama' was closed")
        if not text.strip():
            raise NoveltyError("an empty text has no embedding", "compare fields that hold text")
        ids = self._model.tokenizer.encode(text, add_special_tokens=False).ids
        total = self._model.embedding[ids].sum(axis=0, dtype=np.float64)
        norm = float(np.sqrt(np.sum(total * total)))
        if not np.isfinite(norm) or norm == 0.0:
            raise NoveltyError(f"no usable embedding for the text {text[:60]!r}", "compare fields that hold words")
        unit: NDArray[np.float32] = (total / norm).astype(np.float32)
        return unit


def _load() -> tuple[Any, str]:
    with _quiet():
        import wordllama

        folder = Path(wordllama.__file__).parent
        try:
            model = wordllama.WordLlama.load(
                config=_CONFIG, dim=_DIMENSIONS, cache_dir=folder, disable_download=True
            )
        except FileNotFoundError as exc:
            raise NoveltyError(
                f"wordllama {version('wordllama')} doesn't hold its weights: {exc}",
                "reinstall it: pip install --force-reinstall wordllama",
            ) from exc
    digest = hashlib.sha256(np.ascontiguousarray(model.embedding).data)
    digest.update(model.tokenizer.to_str().encode("utf-8"))
    return model, f"wordllama-{version('wordllama')}-{_CONFIG}-{_DIMENSIONS}-{digest.hexdigest()[:12]}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Undo that importing the package sets up logging for the whole program."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("wordllama").setLevel(logging.WARNING)
