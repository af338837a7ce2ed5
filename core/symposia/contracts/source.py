"""Where task seeds come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from symposia.records import SourceRow

__all__ = ["Source"]


class Source(Protocol):
    """A finite, re-readable sequence of rows in a stable order."""

    def digest(self) -> str:
        """Hash of what is read, so that a changed file makes a new run.

        Raises:
            SourceError: Something can't be read.
        """

    def rows(self) -> Iterator[SourceRow]:
        """The rows, in a stable order.

        Raises:
            SourceError: A document is missing, empty, binary or not UTF-8; the message names it.
        """
