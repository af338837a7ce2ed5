"""Measures a model on held-out tasks."""

from __future__ import annotations

from typing import Protocol

from symposia.contracts.backend import Backend
from symposia.records import JsonObject

__all__ = ["Evaluator"]


class Evaluator(Protocol):
    """Gives figures about a model, each with the number of cases behind it."""

    async def evaluate(self, backend: Backend, model: str) -> JsonObject:
        """Figures by name."""
