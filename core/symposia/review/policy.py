"""Which samples a person sees, and with which chance they were picked.

The chance is stored with every decision: a calibration against people's decisions must weigh each by its inverse.
"""

from __future__ import annotations

from symposia.contracts.graph import ReviewPick
from symposia.draws import unit
from symposia.judging.acceptance import Assessment
from symposia.records import Negotiation, ReviewSpec

__all__ = ["DISAGREEMENT", "pick"]

DISAGREEMENT = 0.5
"""Judges whose scores lie at least this far apart (on 0-1) make a sample uncertain."""


def _judges_apart(negotiation: Negotiation) -> bool:
    scores = [judgment.score for judgment in negotiation.judgments if judgment.score is not None]
    return len(scores) > 1 and max(scores) - min(scores) >= DISAGREEMENT


def pick(review: ReviewSpec, assessment: Assessment, negotiation: Negotiation, run_seed: int) -> ReviewPick | None:
    """Whether a sample that was not rejected goes to a person, by which policy and with which chance."""
    if review.policy == "none" or assessment.outcome not in ("accept", "undecided"):
        return None
    if assessment.outcome == "undecided":
        return ReviewPick("undecided", 1.0)
    if review.policy == "all":
        return ReviewPick("all", 1.0)
    if review.policy == "uncertain" and _judges_apart(negotiation):
        return ReviewPick("uncertain", 1.0)
    if review.share > 0 and unit(run_seed, "review", negotiation.number) < review.share:
        return ReviewPick("audit" if review.policy == "uncertain" else "share", review.share)
    return None
