"""Checks a draft against the world."""

from __future__ import annotations

from typing import Literal, Protocol

from symposia.records import Draft, EvidenceKind, Task, Verdict

__all__ = ["Verifier", "VerifierCost"]

VerifierCost = Literal["cheap", "costly"]


class Verifier(Protocol):
    """One check. What it finds must not come from the generator.

    A verifier returns a verdict for whatever the draft holds; it raises only when it is itself broken, which the
    node turns into a verdict with status ``error``.
    """

    @property
    def name(self) -> str:
        """Name of the verifier."""

    @property
    def version(self) -> str:
        """Changes whenever the same input may get another verdict."""

    @property
    def evidence(self) -> EvidenceKind:
        """``content`` when a pass is outside evidence, ``form`` when it only concerns the shape."""

    @property
    def cost(self) -> VerifierCost:
        """``cheap`` ones run in the screen, before a model is asked again; ``costly`` ones after it."""

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
