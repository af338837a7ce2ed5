"""Rules that every embedder keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symposia.contracts import Embedder
from symposia.errors import NoveltyError
from symposia.testing.conformance.rules import require

__all__ = ["check_embedder"]

_TEXTS = (
    "The light was first shown in 1811.",
    "When was the light first shown?",
    "x",
    "A much longer text. " * 40,
    "我能吞下玻璃而不傷身體。",
    "👩‍👩‍👧‍👦",
)


async def check_embedder(build: Callable[[], Embedder]) -> None:
    """Check an embedder.

    Args:
        build: Makes the embedder.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    embedder, twin = build(), build()
    require(embedder.name and embedder.name == twin.name, "the name is the same each time")
    vectors = await embedder.embed(_TEXTS)
    shape = (len(_TEXTS), embedder.dimensions)
    require(vectors.shape == shape, f"the shape is (texts, dimensions): {shape}, not {vectors.shape}")
    require(vectors.dtype == np.float32, f"vectors are float32, not {vectors.dtype}")
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    require(np.allclose(norms, 1.0, atol=1e-5), "vectors have unit length")
    require(np.array_equal(vectors, await twin.embed(_TEXTS)), "the same texts give the same bits")
    for text, vector in zip(_TEXTS, vectors, strict=True):
        alone = await embedder.embed([text])
        require(np.array_equal(alone[0], vector), "a vector does not depend on the batch it came in, to the bit")
    backwards = await embedder.embed(list(reversed(_TEXTS)))
    require(np.array_equal(backwards[::-1], vectors), "vectors stand in the order of their texts")
    nothing = await embedder.embed([])
    require(nothing.shape == (0, embedder.dimensions), "no texts give no vectors")
    for empty in ("", " \n\t"):
        require(await _refused(embedder, empty), "an empty text raises NoveltyError")
    for part in (embedder, twin):
        await part.close()
        await part.close()


async def _refused(embedder: Embedder, text: str) -> bool:
    try:
        await embedder.embed(["something", text])
    except NoveltyError:
        return True
    return False
