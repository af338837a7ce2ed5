"""Built-in judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Judge

__all__ = ["Criterion", "RubricParams", "register_judges"]


class Criterion(symposia.Params):
    """One question of a rubric.

    Attributes:
        name: Short name, small letters, digits and underscores.
        text: What a high score means.
        weight: Its share of the score; negative where a high score is bad.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1)
    weight: float = Field(default=1.0, allow_inf_nan=False)

    @field_validator("weight")
    @classmethod
    def _counts(cls, value: float) -> float:
        if value == 0:
            raise ValueError("a criterion of weight 0 decides nothing: leave it out")
        return value


_DEFAULT = (
    Criterion(
        name="correct", text="All it says is true and follows from the source, where there is one.", weight=2
    ),
    Criterion(name="helpful", text="It does fully what was asked, and nothing else."),
    Criterion(name="clear", text="It is easy to follow, in plain and natural language."),
    Criterion(name="instructive", text="A model that learns from it learns something worth knowing."),
)


class RubricParams(symposia.Params):
    """Parameters of the judge ``rubric``.

    Attributes:
        criteria: What is scored.
        low: Lowest score.
        high: Highest score.
        max_chars: Most characters of the reason; for small models that run on. It becomes part of the schema, and
            some hosted endpoints refuse it.
    """

    criteria: tuple[Criterion, ...] = Field(default=_DEFAULT, min_length=1)
    low: int = 1
    high: int = 5
    max_chars: int | None = Field(default=None, ge=20)

    @model_validator(mode="after")
    def _a_scale(self) -> RubricParams:
        if not 1 <= self.high - self.low <= 100:
            raise ValueError(f"low ({self.low}) must be below high ({self.high}), at most 100 apart")
        names = [criterion.name for criterion in self.criteria]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"criterion '{twice}' stands twice")
        return self


def _build_rubric(params: RubricParams, bench: symposia.BuildContext) -> Judge:
    from symposia_plugins.judges.rubric import RubricJudge

    return RubricJudge(params)


@symposia.hookimpl
def register_judges() -> list[symposia.Offer[Judge]]:
    """Offer ``rubric``."""
    return [symposia.Offer("rubric", _build_rubric, "Scores weighted criteria on a short scale.", RubricParams)]
