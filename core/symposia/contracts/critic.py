"""Holds a draft against the constitution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from symposia.contracts.role import RoleModel
from symposia.records import Constitution, Critique, Draft, Objection, Rebuttal, Ruling, Task, Turn, Verdict

__all__ = ["Critic"]


class Critic(Protocol):
    """Objects, and rules on what the reviser contests."""

    @property
    def fingerprint(self) -> str:
        """Hash of its prompts, parameters and version: a run made with another one is another run."""

    async def criticise(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        verdicts: Sequence[Verdict],
        model: RoleModel,
    ) -> tuple[Critique, tuple[Turn, ...]]:
        """One objection for each violated principle, with a verbatim quote.

        A reply that can't be read gives a critique that is `unscored`; it is not an error.
        """

    async def rule(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        contested: Sequence[tuple[Objection, Rebuttal]],
        model: RoleModel,
    ) -> tuple[tuple[Ruling, ...], tuple[Turn, ...]]:
        """Withdraw or uphold each contested objection; what can't be read is upheld."""
