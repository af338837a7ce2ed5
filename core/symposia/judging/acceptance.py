"""The rule of acceptance: one pure function from a negotiation to what should happen with it.

A draft is accepted when no required verifier fails or errors, at least one piece of content evidence passes, no
objection of severity major or above is open, and a trusted judge, where there is one, scores it high enough. What
can't be known (an unscored judge, a critique that could not be read, no outside evidence) is undecided; it is never
taken for a pass or for a zero. Novelty and people come after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from symposia.records import Judgment, Negotiation, NegotiationSpec, Stage, Verdict

__all__ = ["Assessment", "assess", "content_evidence", "mean_score"]


@dataclass(frozen=True)
class Assessment:
    """What the rule says about a negotiation.

    Attributes:
        outcome: What should happen; ``failed`` when a request could not be answered.
        stage: The step that decided.
        cause: Short machine-readable cause; empty for ``accept``.
        detail: One sentence for a reader.
        evidence: Content evidence that passed, as ``verifier:<name>`` and ``judge:<name>``.
        score: Mean score of the judges that gave one, 0-1.
    """

    outcome: Literal["accept", "reject", "undecided", "failed"]
    stage: Stage
    cause: str = ""
    detail: str = ""
    evidence: tuple[str, ...] = ()
    score: float | None = None


def mean_score(judgments: tuple[Judgment, ...]) -> float | None:
    """Mean of the scores that were given; None when every judge left the draft unscored."""
    scores = [judgment.score for judgment in judgments if judgment.score is not None]
    return sum(scores) / len(scores) if scores else None


def _level(judgment: Judgment) -> float | None:
    """What a judge's word is worth against ``accept_at``: the calibrated probability where there is one."""
    return judgment.p_accept if judgment.p_accept is not None else judgment.score


def content_evidence(negotiation: Negotiation, settings: NegotiationSpec) -> tuple[str, ...]:
    """Names of the outside evidence for the surviving draft.

    A judge counts only when it is trusted and its weights differ from the teacher's.
    """
    verifiers = [
        f"verifier:{verdict.verifier}"
        for verdict in negotiation.verdicts_on(negotiation.best_round)
        if verdict.kind == "content" and verdict.status == "pass"
    ]
    judges = [
        f"judge:{judgment.judge}"
        for judgment in negotiation.judgments
        if judgment.trusted and judgment.independent and (_level(judgment) or 0.0) >= settings.accept_at
    ]
    return tuple(dict.fromkeys(verifiers + judges))


def assess(negotiation: Negotiation, settings: NegotiationSpec) -> Assessment:
    """Apply the rule of acceptance to a negotiation."""
    found = _without_draft(negotiation) or _verdicts(negotiation) or _objections(negotiation)
    if found is not None:
        return _with_score(found, negotiation)
    evidence = content_evidence(negotiation, settings)
    found = _judges(negotiation, settings)
    if found is None and len(evidence) < settings.min_evidence:
        detail = f"{len(evidence)} of at least {settings.min_evidence} pieces of content evidence pass"
        found = Assessment("undecided", "verify", "no_content_evidence", detail)
    if found is None:
        found = Assessment("accept", "judge", detail="; ".join(evidence))
    return _with_score(found, negotiation, evidence)


def _with_score(found: Assessment, negotiation: Negotiation, evidence: tuple[str, ...] = ()) -> Assessment:
    score = mean_score(negotiation.judgments)
    return Assessment(found.outcome, found.stage, found.cause, found.detail, evidence, score)


def _without_draft(negotiation: Negotiation) -> Assessment | None:
    failure = negotiation.failure
    if negotiation.ending == "failed":
        stage: Stage = failure.stage if failure else "propose"
        return Assessment(
            "failed", stage, failure.cause if failure else "unknown", failure.detail if failure else ""
        )
    if negotiation.best is None:
        cause, detail = (failure.cause, failure.detail) if failure else ("no_draft", "no draft was made")
        return Assessment("reject", failure.stage if failure else "propose", cause, detail)
    if negotiation.ending == "near_duplicate":
        probe = next((p for p in reversed(negotiation.probes) if not p.novel), None)
        detail = f"similarity {probe.similarity:.3f} at threshold {probe.threshold:.3f}" if probe else ""
        return Assessment("reject", "screen", "near_duplicate", detail)
    return None


def _verdicts(negotiation: Negotiation) -> Assessment | None:
    required = [v for v in negotiation.verdicts_on(negotiation.best_round) if v.required]
    failed = next((v for v in required if v.status == "fail"), None)
    if failed is not None:
        return Assessment("reject", _stage(failed), f"{failed.verifier}:{failed.cause}", failed.evidence.summary)
    broken = next((v for v in required if v.status == "error"), None)
    if broken is not None:
        return Assessment("undecided", "verify", f"{broken.verifier}:error", broken.evidence.summary)
    return None


def _stage(verdict: Verdict) -> Stage:
    return "screen" if verdict.kind == "form" else "verify"


def _objections(negotiation: Negotiation) -> Assessment | None:
    standing = [o for o in negotiation.open_objections(negotiation.best_round) if o.severity != "minor"]
    if standing:
        worst = max(standing, key=lambda o: o.severity == "critical")
        return Assessment("reject", "criticise", f"objection:{worst.principle}", worst.reason)
    critique = next((c for c in negotiation.critiques if c.round == negotiation.best_round), None)
    if critique is not None and critique.unscored is not None:
        return Assessment("undecided", "criticise", "critique_unscored", critique.unscored)
    if critique is None and negotiation.critiques:
        return Assessment("undecided", "criticise", "not_criticised", "the best draft was never criticised")
    return None


def _judges(negotiation: Negotiation, settings: NegotiationSpec) -> Assessment | None:
    trusted = [judgment for judgment in negotiation.judgments if judgment.trusted]
    if not trusted:
        return None
    levels = [level for judgment in trusted if (level := _level(judgment)) is not None]
    if not levels:
        return Assessment("undecided", "judge", "unscored", trusted[0].unscored or "")
    mean = sum(levels) / len(levels)
    if mean < settings.accept_at:
        return Assessment("reject", "judge", "score", f"{mean:.3f} is under accept_at {settings.accept_at}")
    return None
