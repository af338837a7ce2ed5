"""Scores what survived the argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from symposia.contracts.role import RoleModel
from symposia.records import Draft, Judgment, Task, Turn, Verdict

__all__ = ["Judge"]


class Judge(Protocol):
    """One member of the panel."""

    @property
    def fingerprint(self) -> str:
        """Hash of its prompts, parameters and version: a calibration made with another one is void."""

    async def judge(
        self, draft: Draft, task: Task, verdicts: Sequence[Verdict], model: RoleModel
    ) -> tuple[Judgment, tuple[Turn, ...]]:
        """Score one draft; a reply that can't be read gives an unscored judgment."""
