"""The argument: objections of the critic, rebuttals of the reviser, rulings of the critic on what was contested."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from symposia.records.base import Record

__all__ = ["SEVERITY_WEIGHT", "Critique", "Objection", "ObjectionStatus", "Rebuttal", "Ruling", "Severity"]

Severity = Literal["minor", "major", "critical"]
ObjectionStatus = Literal["open", "fixed", "withdrawn"]

SEVERITY_WEIGHT: dict[Severity, int] = {"minor": 1, "major": 3, "critical": 9}
"""Weight of an open objection when drafts are ranked."""


class Objection(Record):
    """One point of a critique.

    Attributes:
        id: Unique in its negotiation: ``r<round>.<index>``, or ``h<round>.<index>`` for a person's.
        principle: Id of the violated principle.
        severity: Weight of the violation.
        quote: The offending span, verbatim from the draft; empty only where something is missing from it.
        reason: Why it violates the principle.
        suggestion: How it could be mended.
        raised_by: ``critic`` or ``human:<reviewer>``.
        raised_in: The round whose draft it is about.
        status: Open until the reviser fixes it or the critic withdraws it.
    """

    id: str
    principle: str
    severity: Severity
    quote: str = ""
    reason: str
    suggestion: str = ""
    raised_by: str = "critic"
    raised_in: int = Field(default=0, ge=0)
    status: ObjectionStatus = "open"


class Critique(Record):
    """What the critic said about one draft.

    Attributes:
        round: The draft's round.
        objections: Those that stand on their own feet.
        discarded: Number of objections thrown away because their quote is not in the draft or their principle is
            not in the constitution.
        unscored: Why no critique could be read from the reply, where that happened; then nothing is known
            about the draft.
    """

    round: int = Field(ge=0)
    objections: tuple[Objection, ...] = ()
    discarded: int = 0
    unscored: str | None = None


class Rebuttal(Record):
    """The reviser's answer to one objection."""

    objection: str
    round: int = Field(ge=0)
    action: Literal["fix", "contest"]
    argument: str = ""


class Ruling(Record):
    """The critic's answer to a contested objection."""

    objection: str
    round: int = Field(ge=0)
    outcome: Literal["withdrawn", "upheld"]
    reason: str = ""
