"""The rule of acceptance, clause by clause."""

from __future__ import annotations

from typing import Any

import pytest

from symposia.judging.acceptance import assess
from symposia.records import (
    Critique,
    Draft,
    Ending,
    Evidence,
    Failure,
    Judgment,
    Negotiation,
    NegotiationSpec,
    NoveltyVerdict,
    Objection,
    ReviewSpec,
    Severity,
    Task,
    Ticket,
    Verdict,
    VerdictStatus,
)
from symposia.review.policy import pick

RULE = NegotiationSpec(accept_at=0.8)


def verdict(
    status: VerdictStatus = "pass", kind: str = "content", required: bool = True, round: int = 0
) -> Verdict:
    return Verdict.model_validate(
        {
            "verifier": "grounded",
            "kind": kind,
            "status": status,
            "cause": "quote_not_found" if status == "fail" else "",
            "required": required,
            "round": round,
            "evidence": Evidence(summary="looked"),
        }
    )


def objection(severity: Severity) -> Objection:
    return Objection(id="r0.0", principle="plain-words", severity=severity, reason="too hard")


def talk(ending: Ending = "settled", **parts: object) -> Negotiation:
    fields: dict[str, object] = {
        "ticket": Ticket(task=Task(number=1)),
        "graph": "qa",
        "drafts": (Draft(round=0, author="teacher", payload={"a": "b"}),),
        "verdicts": (verdict(),),
        "best_round": 0,
        "ending": ending,
    }
    return Negotiation.model_validate({**fields, **parts})


def test_a_sample_with_outside_evidence_is_accepted() -> None:
    found = assess(talk(), RULE)
    assert (found.outcome, found.evidence) == ("accept", ("verifier:grounded",))


@pytest.mark.parametrize(
    ("parts", "outcome", "cause"),
    [
        ({"verdicts": (verdict("fail"),)}, "reject", "grounded:quote_not_found"),
        ({"verdicts": (verdict(), verdict("fail", required=False))}, "accept", ""),
        ({"verdicts": (verdict("error"),)}, "undecided", "grounded:error"),
        ({"verdicts": (verdict("abstain"),)}, "undecided", "no_content_evidence"),
        ({"verdicts": (verdict(kind="form"),)}, "undecided", "no_content_evidence"),
        ({"verdicts": ()}, "undecided", "no_content_evidence"),
        ({"verdicts": (verdict(round=1),)}, "undecided", "no_content_evidence"),
        ({"objections": (objection("major"),)}, "reject", "objection:plain-words"),
        ({"objections": (objection("critical"),)}, "reject", "objection:plain-words"),
        ({"objections": (objection("minor"),)}, "accept", ""),
        ({"critiques": (Critique(round=0, unscored="nonsense"),)}, "undecided", "critique_unscored"),
        ({"critiques": (Critique(round=1),)}, "undecided", "not_criticised"),
        ({"judgments": (Judgment(judge="j", score=0.1),)}, "accept", ""),
        ({"judgments": (Judgment(judge="j", score=0.1, trusted=True),)}, "reject", "score"),
        ({"judgments": (Judgment(judge="j", score=0.9, trusted=True),)}, "accept", ""),
        ({"judgments": (Judgment(judge="j", score=0.1, p_accept=0.9, trusted=True),)}, "accept", ""),
        ({"judgments": (Judgment(judge="j", unscored="?", trusted=True),)}, "undecided", "unscored"),
        ({"judgments": (Judgment(judge="j", unscored="?"),)}, "accept", ""),
        ({"drafts": (), "best_round": None}, "reject", "no_draft"),
    ],
)
def test_each_clause(parts: dict[str, Any], outcome: str, cause: str) -> None:
    found = assess(talk(**parts), RULE)
    assert (found.outcome, found.cause) == (outcome, cause)


def test_only_a_trusted_judge_of_other_weights_is_evidence() -> None:
    weak = Judgment(judge="j", score=0.9, trusted=True)
    strong = weak.model_copy(update={"independent": True})
    assert assess(talk(verdicts=(), judgments=(weak,)), RULE).outcome == "undecided"
    found = assess(talk(verdicts=(), judgments=(strong,)), RULE)
    assert (found.outcome, found.evidence) == ("accept", ("judge:j",))


def test_unscored_is_never_in_the_mean() -> None:
    judgments = (Judgment(judge="j", score=0.6), Judgment(judge="k", unscored="?"))
    assert assess(talk(judgments=judgments), RULE).score == 0.6
    assert assess(talk(judgments=judgments[1:]), RULE).score is None


def test_failures_and_near_duplicates_keep_their_stage() -> None:
    failure = Failure(stage="criticise", cause="context_overflow")
    failed = assess(talk("failed", failure=failure), RULE)
    assert (failed.outcome, failed.stage, failed.cause) == ("failed", "criticise", "context_overflow")
    probe = NoveltyVerdict(check="e", novel=False, threshold=0.9, similarity=0.95)
    near = assess(talk("near_duplicate", probes=(probe,)), RULE)
    assert (near.outcome, near.stage, near.cause) == ("reject", "screen", "near_duplicate")
    unusable = talk("unusable", failure=Failure(stage="propose", cause="truncated"), drafts=(), best_round=None)
    assert assess(unusable, RULE).cause == "truncated"


def test_review_policies_record_the_chance_of_being_picked() -> None:
    accepted, undecided = assess(talk(), RULE), assess(talk(verdicts=()), RULE)
    assert pick(ReviewSpec(policy="none"), undecided, talk(), 0) is None
    everything = pick(ReviewSpec(policy="all"), accepted, talk(), 0)
    assert everything is not None and everything.selection_probability == 1.0
    doubt = pick(ReviewSpec(policy="uncertain", share=0), undecided, talk(), 0)
    assert doubt is not None and doubt.policy == "undecided"
    apart = talk(judgments=(Judgment(judge="j", score=0.1), Judgment(judge="k", score=0.9)))
    split = pick(ReviewSpec(policy="uncertain", share=0), accepted, apart, 0)
    assert split is not None and split.policy == "uncertain"


def test_a_share_is_a_share_and_the_same_each_time() -> None:
    review = ReviewSpec(policy="share", share=0.2)
    accepted = assess(talk(), RULE)
    talks = [talk(ticket=Ticket(task=Task(number=n))) for n in range(2000)]
    picked = [t.number for t in talks if pick(review, accepted, t, 7)]
    assert 320 < len(picked) < 480
    assert picked == [t.number for t in talks if pick(review, accepted, t, 7)]
    assert picked != [t.number for t in talks if pick(review, accepted, t, 8)]
