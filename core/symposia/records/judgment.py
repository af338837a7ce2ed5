"""A judge's score or choice. A reply that can't be read is unscored, never a number."""

from __future__ import annotations

from pydantic import Field, model_validator

from symposia.records.base import Record

__all__ = ["CriterionScore", "Judgment", "unit_score"]


def unit_score(native: float, low: float, high: float) -> float:
    """A native score on [low, high] on the scale 0-1: n on 1-10 is (n - 1) / 9.

    Raises:
        ValueError: The score lies outside its scale, or the scale is empty.
    """
    if not low < high:
        raise ValueError(f"empty scale: {low}-{high}")
    if not low <= native <= high:
        raise ValueError(f"score {native} is not on the scale {low}-{high}")
    return (native - low) / (high - low)


class CriterionScore(Record):
    """The score of one criterion of a rubric."""

    criterion: str
    native: float
    weight: float = 1.0
    reason: str = ""


class Judgment(Record):
    """What one judge said about one draft.

    Attributes:
        judge: Name of the judge in the recipe.
        model: The model it asked; empty for a person or an endpoint without one.
        round: Round of the judged draft.
        score: 0-1, or None when unscored.
        native: The score on the judge's own scale.
        scale: Lowest and highest native score.
        p_accept: Calibrated probability that a person would accept; filled only by a calibration.
        trusted: Whether a calibration found the judge good enough to decide.
        independent: Whether its weights differ from the teacher's.
        unscored: Why there is no score.
        rationale: What the judge gave as its reason.
        criteria: Scores by criterion.
    """

    judge: str
    model: str = ""
    round: int = Field(default=0, ge=0)
    score: float | None = Field(default=None, ge=0, le=1)
    native: float | None = None
    scale: tuple[float, float] | None = None
    p_accept: float | None = Field(default=None, ge=0, le=1)
    trusted: bool = False
    independent: bool = False
    unscored: str | None = None
    rationale: str = ""
    criteria: tuple[CriterionScore, ...] = ()

    @model_validator(mode="after")
    def _scored_or_not(self) -> Judgment:
        if (self.score is None) == (self.unscored is None):
            raise ValueError("a judgment has either a score or a reason why it is unscored")
        return self
