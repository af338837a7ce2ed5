"""Built-in embedders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Embedder

__all__ = ["register_embedders"]


def _build_wordllama(params: symposia.Params, bench: symposia.BuildContext) -> Embedder:
    from symposia_plugins.embedders.wordllama import WordLlamaEmbedder

    return WordLlamaEmbedder()


@symposia.hookimpl
def register_embedders() -> list[symposia.Offer[Embedder]]:
    """Offer ``wordllama``."""
    return [
        symposia.Offer(
            "wordllama",
            _build_wordllama,
            "Static word embeddings, 256 dimensions, offline, fast on any machine.",
            requires=("wordllama",),
        )
    ]
