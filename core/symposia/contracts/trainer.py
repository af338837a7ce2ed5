"""Trains a model on a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from symposia.records import Sample

__all__ = ["Trainer"]


class Trainer(Protocol):
    """Turns samples and base weights into new weights."""

    async def train(self, samples: Iterable[Sample], base: str, out: Path) -> str:
        """Train and give the name under which a backend can serve the result."""
