"""Writes accepted samples in a format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from symposia.records import Sample

__all__ = ["Exporter"]


class Exporter(Protocol):
    """Writes a stream of samples; equal samples give equal bytes."""

    @property
    def suffix(self) -> str:
        """File name ending, with the dot."""

    def write(self, samples: Iterable[Sample], path: Path) -> int:
        """Write a whole file, replacing it at the end in one step; give the number of rows.

        Raises:
            ExportError: The file can't be written.
        """
