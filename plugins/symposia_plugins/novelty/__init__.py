"""Built-in novelty checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

import symposia
from symposia.records import PartSpec

if TYPE_CHECKING:
    from symposia.contracts import NoveltyCheck

__all__ = ["EmbeddingParams", "register_novelty_checks"]


def _part(value: Any) -> Any:
    """A name is short for ``{use: name}``."""
    return {"use": value} if isinstance(value, str) else value


class EmbeddingParams(symposia.Params):
    """Parameters of the novelty check ``embedding``.

    Attributes:
        index: What holds the vectors: a name, or ``{use: name, …}`` with parameters.
        embedder: What makes the vectors, in the same form.
        threshold: Cosine similarity at or above which a draft is a near duplicate.
        fields: Payload fields that are compared; all text when empty.
        neighbours: Most neighbours that a verdict names.
    """

    index: Annotated[PartSpec, BeforeValidator(_part)] = PartSpec(use="exact")
    embedder: Annotated[PartSpec, BeforeValidator(_part)] = PartSpec(use="wordllama")
    threshold: float = Field(default=0.92, gt=0, le=1)
    fields: tuple[str, ...] = ()
    neighbours: int = Field(default=3, ge=1, le=100)


def _build_embedding(params: EmbeddingParams, bench: symposia.BuildContext) -> NoveltyCheck:
    from symposia_plugins.novelty.embedding import EmbeddingCheck

    return EmbeddingCheck(
        params,
        index=bench.build("index", params.index.use, params.index.params),
        held=bench.build("index", "exact", {}),
        embedder=bench.build("embedder", params.embedder.use, params.embedder.params),
    )


@symposia.hookimpl
def register_novelty_checks() -> list[symposia.Offer[NoveltyCheck]]:
    """Offer ``embedding``."""
    return [
        symposia.Offer(
            "embedding",
            _build_embedding,
            "Cosine similarity of embeddings with everything admitted.",
            EmbeddingParams,
        )
    ]
