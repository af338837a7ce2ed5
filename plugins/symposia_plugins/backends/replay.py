"""Recorded answers instead of a model: a run without a key, a server or a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symposia.errors import RecipeError
from symposia.offers import BuildContext
from symposia_plugins.backends.params import ReplayParams

if TYPE_CHECKING:
    from symposia.llm import ReplayBackend

__all__ = ["build"]


def build(params: ReplayParams, bench: BuildContext) -> ReplayBackend:
    """Build the backend.

    Raises:
        RecipeError: No cassette is named.
        SourceError: There is no such cassette.
        EndpointError: It holds no answer of the model.
    """
    from symposia.llm import ReplayBackend

    cassette = params.cassette or params.base_url
    if cassette is None:
        raise RecipeError(
            f"the model replay/{params.model} has no cassette",
            "put the path of a ledger or of an exported cassette into base_url",
        )
    return ReplayBackend(bench.base / Path(cassette).expanduser(), params.model)
