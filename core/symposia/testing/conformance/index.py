"""Rules that every vector index keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from symposia.contracts import Index, IndexEntry
from symposia.errors import NoveltyError
from symposia.testing.conformance.rules import require

__all__ = ["check_index"]

_DIMENSIONS = 16
_EMBEDDER = "conformance-1"


async def check_index(build: Callable[[], Index], *, entries: int = 200) -> None:
    """Check an index against a brute-force search.

    Args:
        build: Makes an empty index; each call one of its own.
        entries: How many vectors are compared.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    index = build()
    await index.open(_EMBEDDER, _DIMENSIONS)
    rng = np.random.default_rng(7)
    held = {entry.id: entry for entry in (_entry(rng, number) for number in range(entries))}
    require(await index.ids() == set(), "a new index is empty")
    require(await index.search(_unit(rng), 3) == [], "a search in an empty index finds nothing")
    await index.upsert(list(held.values()))
    require(await index.ids() == set(held), "all stored ids are listed")
    await _searches_right(index, held, rng)
    await _replaces_and_removes(index, held, rng)
    await _ties_go_by_id(index, rng)
    await _refuses(index, rng)
    await index.close()
    await index.close()


def _unit(rng: np.random.Generator) -> NDArray[np.float32]:
    vector = rng.normal(size=_DIMENSIONS)
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _entry(rng: np.random.Generator, number: int) -> IndexEntry:
    return IndexEntry(f"{number:06d}", number + 1, f"text {number}", _unit(rng))


def _brute_force(held: dict[str, IndexEntry], vector: NDArray[np.float32], k: int, as_of: int | None) -> list[str]:
    scored = [
        (-float(np.dot(entry.vector.astype(np.float64), vector.astype(np.float64))), entry.id)
        for entry in held.values()
        if as_of is None or entry.log <= as_of
    ]
    return [id_ for _, id_ in sorted(scored)[:k]]


async def _searches_right(index: Index, held: dict[str, IndexEntry], rng: np.random.Generator) -> None:
    for k, as_of in ((1, None), (5, None), (5, len(held) // 2), (3, 1), (3, 0), (10 * len(held), None)):
        vector = _unit(rng)
        hits = await index.search(vector, k, as_of)
        wanted = _brute_force(held, vector, k, as_of)
        require([hit.id for hit in hits] == wanted, f"k={k}, as_of={as_of}: the nearest are {wanted}")
        for hit in hits:
            exact = float(np.dot(held[hit.id].vector.astype(np.float64), vector.astype(np.float64)))
            require(abs(hit.similarity - exact) < 1e-12, "similarity is the float64 dot product of the vectors")
            require(hit.text == held[hit.id].text, "a hit carries its text")


async def _replaces_and_removes(index: Index, held: dict[str, IndexEntry], rng: np.random.Generator) -> None:
    changed = IndexEntry("000000", 99_999, "changed", _unit(rng))
    held["000000"] = changed
    await index.upsert([changed])
    require(len(await index.ids()) == len(held), "an id that is there is replaced, not added")
    first = (await index.search(changed.vector, 1))[0]
    require((first.id, first.text) == ("000000", "changed"), "a replaced entry is found with its new vector")
    before = await index.search(changed.vector, len(held), as_of=10)
    require("000000" not in {hit.id for hit in before}, "a replaced entry has its new log number")
    await index.remove(["000000", "000001", "no such id"])
    del held["000000"], held["000001"]
    require(await index.ids() == set(held), "removed ids are gone, unknown ones are no error")
    await _searches_right(index, held, rng)


async def _ties_go_by_id(index: Index, rng: np.random.Generator) -> None:
    vector = _unit(rng)
    await index.upsert([IndexEntry(f"tie-{name}", 5, name, vector) for name in "cab"])
    hits = [hit.id for hit in await index.search(vector, 2)]
    require(hits == ["tie-a", "tie-b"], f"equal similarities are ordered by id, not {hits}")


async def _refuses(index: Index, rng: np.random.Generator) -> None:
    zero = np.zeros(_DIMENSIONS, dtype=np.float32)
    short = _unit(rng)[:-1]
    nan = np.full(_DIMENSIONS, np.nan, dtype=np.float32)
    for what, vector in (("a zero vector", zero), ("a vector of another length", short), ("NaN", nan)):
        entry = IndexEntry("bad", 1, "bad", vector)
        require(await _novelty_error(index.upsert([entry])), f"storing {what} raises NoveltyError")
        require(await _novelty_error(index.search(vector, 1)), f"searching for {what} raises NoveltyError")
    require("bad" not in await index.ids(), "a refused entry is not stored")
    other = index.open(_EMBEDDER, _DIMENSIONS + 1)
    require(await _novelty_error(other), "opening for another dimension raises NoveltyError")
    require(await _novelty_error(index.open("other", _DIMENSIONS)), "opening for another embedder raises it too")


async def _novelty_error(call: Awaitable[object]) -> bool:
    try:
        await call
    except NoveltyError:
        return True
    return False
