"""Built-in vector indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Index

__all__ = ["ChromaParams", "register_indexes"]


class ChromaParams(symposia.Params):
    """Parameters of the index ``chroma``.

    Attributes:
        ef_search: How many candidates the graph search keeps while it looks; more find more and take longer.
        candidates: Least number of candidates whose similarity is computed exactly.
    """

    ef_search: int = Field(default=256, ge=200, le=10_000)
    candidates: int = Field(default=32, ge=1, le=1_000)


def _build_exact(params: symposia.Params, bench: symposia.BuildContext) -> Index:
    from symposia_plugins.indexes.exact import ExactIndex

    return ExactIndex()


def _build_chroma(params: ChromaParams, bench: symposia.BuildContext) -> Index:
    from symposia_plugins.indexes.chroma import ChromaIndex

    return ChromaIndex(bench.folder, params)


@symposia.hookimpl
def register_indexes() -> list[symposia.Offer[Index]]:
    """Offer ``exact`` and ``chroma``."""
    return [
        symposia.Offer("exact", _build_exact, "Every vector compared, in memory; the reference."),
        symposia.Offer(
            "chroma",
            _build_chroma,
            "Chroma in the run's folder; its graph search proposes, exact similarity decides.",
            ChromaParams,
            extra="chroma",
            requires=("chromadb",),
        ),
    ]
