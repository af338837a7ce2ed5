"""The similarity that decides: the dot product of two stored vectors, rounded once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symposia.errors import NoveltyError

__all__ = ["checked", "similarity"]


def similarity(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Dot product of two float32 vectors, correctly rounded to double precision.

    The product of two float32 numbers is exact in float64, and `math.fsum` rounds their sum only once (Shewchuk
    1997, "Adaptive Precision Floating-Point Arithmetic"). So the value is the same on every machine, whatever the
    order, the batch or the linear-algebra library, and a verdict can't flip between a run and its resume.
    """
    return math.fsum((left.astype(np.float64) * right.astype(np.float64)).tolist())


def checked(vector: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """The vector as contiguous float32.

    Raises:
        NoveltyError: It has another length, or is zero or not finite.
    """
    plain = np.ascontiguousarray(vector, dtype=np.float32)
    if plain.shape != (dimensions,):
        raise NoveltyError(f"a vector of shape {plain.shape} does not fit an index of {dimensions} dimensions")
    if not np.isfinite(plain).all() or not plain.any():
        raise NoveltyError("a vector that is zero or not finite can't be compared")
    return plain
