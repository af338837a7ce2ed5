"""The principles that a critic holds every draft against."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, model_validator

from symposia.records.base import Record, content_hash
from symposia.records.critique import Severity

__all__ = ["Constitution", "Principle"]


class Principle(Record):
    """One testable requirement on a sample (Bai et al. 2022, "Constitutional AI").

    Attributes:
        id: Kebab-case name, unique in its constitution.
        title: A few words.
        text: The requirement.
        severity: Weight of a violation.
        category: Free word for grouping.
        applicability: When the principle applies.
        positive: An example that satisfies it.
        negative: An example that violates it.
        conflicts_with: Ids of principles it is in declared tension with.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    text: str = Field(min_length=1)
    severity: Severity = "major"
    category: str = ""
    applicability: str = ""
    positive: str = ""
    negative: str = ""
    conflicts_with: tuple[str, ...] = ()


class Constitution(Record):
    """A named, versioned list of principles."""

    name: str
    version: str = "1"
    description: str = ""
    principles: tuple[Principle, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Constitution:
        seen: set[str] = set()
        for principle in self.principles:
            if principle.id in seen:
                raise ValueError(f"principle id '{principle.id}' stands twice")
            seen.add(principle.id)
        return self

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON."""
        return content_hash(self.model_dump(mode="json"))

    def get(self, principle_id: str) -> Principle | None:
        """The principle with this id, or None."""
        return self._by_id.get(principle_id)

    @cached_property
    def _by_id(self) -> dict[str, Principle]:
        return {principle.id: principle for principle in self.principles}
