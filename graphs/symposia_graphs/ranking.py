"""Which of several drafts is best. Pure functions of a negotiation."""

from __future__ import annotations

from typing import NamedTuple

from symposia.records import SEVERITY_WEIGHT, Negotiation, Objection, Verdict

__all__ = ["Standing", "best_round", "clean", "failed", "is_duplicate", "refuted", "standing"]


class Standing(NamedTuple):
    """How good a draft is; the greater one is better.

    Attributes:
        passed: Required verifiers that let it through; one that was not run did not.
        mildness: Minus the severity-weighted sum of its open objections.
    """

    passed: int
    mildness: int


def is_duplicate(negotiation: Negotiation, round_: int) -> bool:
    """Whether the novelty probe found the draft of a round too near to an admitted one."""
    return any(probe.round == round_ and not probe.novel for probe in negotiation.probes)


def failed(negotiation: Negotiation, round_: int | None) -> tuple[Verdict, ...]:
    """Verdicts that keep the draft of a round out."""
    return tuple(v for v in negotiation.verdicts_on(round_) if v.required and v.status == "fail")


def standing(negotiation: Negotiation, round_: int) -> Standing:
    """How good the draft of one round is.

    A draft whose critique could not be read counts as if one major objection stood against it: nothing says that
    it is better than one with minor objections.
    """
    passed = sum(v.required and v.status in ("pass", "abstain") for v in negotiation.verdicts_on(round_))
    unread = any(c.round == round_ and c.unscored is not None for c in negotiation.critiques)
    weight = negotiation.severity(round_) + (SEVERITY_WEIGHT["major"] if unread else 0)
    return Standing(passed, -weight)


def best_round(negotiation: Negotiation) -> int | None:
    """Round of the best draft that is no near duplicate; of equal ones the earliest."""
    rounds = [draft.round for draft in negotiation.drafts if not is_duplicate(negotiation, draft.round)]
    return max(rounds, key=lambda r: (standing(negotiation, r), -r), default=None)


def clean(negotiation: Negotiation, round_: int) -> bool:
    """Whether a reviser would have nothing to answer: nothing is open and no required verifier failed."""
    return not failed(negotiation, round_) and not negotiation.open_objections(round_)


def refuted(negotiation: Negotiation, round_: int) -> bool:
    """Whether a draft is sure to be rejected, whatever a judge would say of it."""
    return bool(failed(negotiation, round_)) or any(map(_grave, negotiation.open_objections(round_)))


def _grave(objection: Objection) -> bool:
    return objection.severity != "minor"
