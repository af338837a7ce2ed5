"""Rules that every source keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symposia.contracts import Source
from symposia.errors import SourceError
from symposia.records import SourceRow, canonical_json
from symposia.testing.conformance.rules import require

__all__ = ["check_source"]


async def check_source(build: Callable[[], Source], *, broken: Sequence[Callable[[], Source]] = ()) -> None:
    """Check a source that can be read, and some that can't.

    Args:
        build: Makes a source with at least one row.
        broken: Make sources whose rows can't be read.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    source = build()
    rows = list(source.rows())
    require(rows, "a source has at least one row")
    require(rows == list(source.rows()), "the rows can be read again, the same in the same order")
    require(rows == list(build().rows()), "two sources of the same data have the same rows")
    ids = [row.id for row in rows]
    require(all(ids) and len(set(ids)) == len(ids), "each row has an id of its own")
    for row in rows:
        canonical_json(row.fields)
        require(SourceRow.model_validate_json(row.model_dump_json()) == row, "a row survives JSON")
    digest = source.digest()
    require(digest and digest == build().digest(), "the digest depends on the data alone")
    for make in broken:
        error = _error(make)
        require(isinstance(error, SourceError), f"what can't be read raises SourceError, not {error!r}")
        require(isinstance(error, SourceError) and error.hint, "the error says what to do")


def _error(make: Callable[[], Source]) -> Exception | None:
    try:
        list(make().rows())
    except Exception as exc:
        return exc
    return None
