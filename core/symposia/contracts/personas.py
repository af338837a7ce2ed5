"""Who may be drawn for a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from symposia.records import Persona

__all__ = ["Personas"]


class Personas(Protocol):
    """A fixed list of personas; drawing is the engine's, by weight and seed."""

    def personas(self) -> Sequence[Persona]:
        """All personas, in a stable order, at least one."""
