"""Everything random: numbers that depend on the run's seed and a name, never on time or order."""

from __future__ import annotations

import hashlib
from array import array
from random import Random

__all__ = ["pick_weighted", "shuffled", "unit"]


def _integer(seed: int, *name: object) -> int:
    text = "\x1f".join([str(seed), *map(str, name)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def unit(seed: int, *name: object) -> float:
    """A number in [0, 1) that is a function of the seed and the name."""
    return _integer(seed, *name) / 2**64


def pick_weighted(cumulative: list[float], seed: int, *name: object) -> int:
    """An index drawn with the chances whose running totals are given.

    Args:
        cumulative: Running totals of positive weights.
        seed: The run's seed.
        name: What is drawn.
    """
    target = unit(seed, *name) * cumulative[-1]
    low, high = 0, len(cumulative) - 1
    while low < high:
        middle = (low + high) // 2
        if target < cumulative[middle]:
            high = middle
        else:
            low = middle + 1
    return low


def shuffled(size: int, seed: int, *name: object) -> array[int]:
    """The numbers 0 … size-1 in an order that is a function of the seed and the name; 4 bytes a number."""
    order = array("I", range(size))
    Random(_integer(seed, *name)).shuffle(order)
    return order
