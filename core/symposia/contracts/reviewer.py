"""Where people decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from symposia.records import HumanDecision, Negotiation

__all__ = ["Reviewer"]


class Reviewer(Protocol):
    """A surface that shows parked samples and yields what people decided: terminal, web page, API."""

    def decisions(self, parked: Sequence[Negotiation]) -> AsyncIterator[HumanDecision]:
        """Show samples and yield decisions as they are made; a skipped sample yields none."""
