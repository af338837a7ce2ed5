"""What needs no graph at all: reducers, ranks, routes, sentences. Laws are checked with made-up negotiations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.runtime import Runtime

from support.negotiations import FakeCritic, FakeJudge, FakeVerifier, draft_of, judge_seat, seat, table, ticket
from symposia.contracts import NegotiateContext
from symposia.records import (
    Critique,
    Draft,
    Evidence,
    Negotiation,
    NegotiationSpec,
    NoveltyVerdict,
    Objection,
    Rebuttal,
    Ruling,
    Severity,
    Turn,
    TurnKind,
    Usage,
    Verdict,
    VerdictStatus,
)
from symposia_graphs import routes
from symposia_graphs.nodes.calls import together
from symposia_graphs.passages import LONGEST_SENTENCE, sentences
from symposia_graphs.ranking import Standing, best_round, clean, refuted, standing
from symposia_graphs.state import NegotiateState, opening, record, restated

SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")


def verdict(round_: int, status: VerdictStatus, *, required: bool = True, name: str = "facts") -> Verdict:
    return Verdict(
        verifier=name,
        kind="content",
        status=status,
        round=round_,
        required=required,
        evidence=Evidence(summary=status),
    )


def objection(id_: str, round_: int, severity: Severity = "major", **more: Any) -> Objection:
    return Objection(id=id_, principle="true", severity=severity, reason="r", raised_in=round_, **more)


def turn(kind: TurnKind, round_: int = 0, tokens: int = 0) -> Turn:
    usage = Usage(calls=1, prompt_tokens=tokens)
    return Turn(round=round_, role="x", kind=kind, model="m", text="", usage=usage)


def state(rounds: int = 1, **more: Any) -> NegotiateState:
    made: NegotiateState = opening(ticket())
    made["drafts"] = tuple(Draft(round=n, author="x", payload=draft_of(str(n))) for n in range(rounds))
    return {**made, **more}  # type: ignore[typeddict-item]


def negotiation(rounds: int = 1, **more: Any) -> Negotiation:
    return record(state(rounds, **more), "negotiate")


def near(round_: int) -> NoveltyVerdict:
    return NoveltyVerdict(check="c", novel=False, threshold=0.9, round=round_)


# -- state ------------------------------------------------------------------------------------------------------


def test_restated_objections_keep_their_place() -> None:
    first, second = objection("a", 0), objection("b", 0)
    fixed = first.model_copy(update={"status": "fixed"})
    assert restated((first, second), (fixed, objection("c", 1))) == (fixed, second, objection("c", 1))


def test_a_task_sent_back_opens_with_the_objection_of_the_person() -> None:
    back = {"task": 2, "reviewer": "bo", "objection": "no", "reasons": ["true"], "payload": {"a": 1}}
    made = opening(ticket(parameters={"sent_back": back}))
    assert made["drafts"] == (Draft(round=0, author="task:2", payload={"a": 1}),)
    assert [(o.principle, o.severity, o.raised_by) for o in made["objections"]] == [("true", "major", "human:bo")]
    assert opening(ticket())["drafts"] == ()


# -- ranking ----------------------------------------------------------------------------------------------------


def test_required_verdicts_count_before_objections_and_objections_before_age() -> None:
    made = negotiation(
        3,
        verdicts=(verdict(0, "fail"), verdict(1, "pass"), verdict(2, "abstain")),
        objections=(objection("a", 1, "critical", status="fixed"), objection("b", 2)),
        rebuttals=(Rebuttal(objection="a", round=2, action="fix"),),
    )
    assert standing(made, 0) == Standing(0, 0)
    assert standing(made, 1) == Standing(1, -9)
    assert standing(made, 2) == Standing(1, -3)
    assert best_round(made) == 2


def test_of_equal_drafts_the_earlier_one_is_best() -> None:
    assert best_round(negotiation(4)) == 0


def test_a_near_duplicate_is_never_best() -> None:
    assert best_round(negotiation(2, probes=(near(0),))) == 1
    assert best_round(negotiation(2, probes=(near(0), near(1)))) is None
    assert best_round(negotiation(0)) is None


def test_an_unread_critique_weighs_as_a_major_objection() -> None:
    made = negotiation(1, critiques=(Critique(round=0, unscored="empty"),))
    assert standing(made, 0) == Standing(0, -3)


def test_clean_and_refuted() -> None:
    minor = negotiation(1, objections=(objection("a", 0, "minor"),))
    assert not clean(minor, 0) and not refuted(minor, 0)
    assert refuted(negotiation(1, objections=(objection("a", 0),)), 0)
    assert refuted(negotiation(1, verdicts=(verdict(0, "fail"),)), 0)
    advisory = negotiation(1, verdicts=(verdict(0, "fail", required=False), verdict(0, "error")))
    assert clean(advisory, 0) and not refuted(advisory, 0)


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["pass", "fail", "abstain", "error"]), max_size=3),
            st.lists(st.sampled_from(SEVERITIES), max_size=3),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_ranks_above_the_best(rounds: list[tuple[list[VerdictStatus], list[Severity], bool]]) -> None:
    made = negotiation(
        len(rounds),
        verdicts=tuple(verdict(n, s) for n, (statuses, _, _) in enumerate(rounds) for s in statuses),
        objections=tuple(
            objection(f"r{n}.{i}", n, s) for n, (_, found, _) in enumerate(rounds) for i, s in enumerate(found)
        ),
        probes=tuple(near(n) for n, (_, _, duplicate) in enumerate(rounds) if duplicate),
    )
    best = best_round(made)
    eligible = [n for n, (_, _, duplicate) in enumerate(rounds) if not duplicate]
    assert (best is None) == (not eligible)
    for other in eligible:
        assert best is not None
        assert (standing(made, other), -other) <= (standing(made, best), -best)


# -- routes -----------------------------------------------------------------------------------------------------


def at(context: NegotiateContext) -> Runtime[NegotiateContext]:
    return Runtime(context=context)


OPEN = (objection("r0.0", 0),)


@pytest.mark.parametrize(
    ("found", "settings", "ending"),
    [
        ({}, {}, "settled"),
        ({"objections": OPEN}, {}, None),
        ({"objections": OPEN}, {"max_rounds": 0}, "max_rounds"),
        ({"objections": OPEN, "peak": Standing(0, -3)}, {}, "no_gain"),
        ({"objections": OPEN, "peak": Standing(0, -4)}, {}, None),
        ({"objections": OPEN, "peak": Standing(1, 0)}, {}, "no_gain"),
        ({"objections": OPEN, "turns": (turn("propose", tokens=5),)}, {"max_tokens": 5}, "budget"),
        ({"objections": OPEN, "turns": (turn("propose", tokens=5),)}, {"max_tokens": 6}, None),
        ({"objections": OPEN, "turns": (turn("revise"),) * 3}, {"max_rounds": 3}, "max_rounds"),
        ({"verdicts": (verdict(0, "fail"),)}, {}, None),
        ({"verdicts": (verdict(0, "error"),)}, {}, "settled"),
        ({"probes": (near(0),)}, {}, "near_duplicate"),
    ],
)
def test_why_an_argument_ends(found: dict[str, Any], settings: dict[str, Any], ending: str | None) -> None:
    assert routes.why_ended(state(1, **found), NegotiationSpec(**settings)) == ending


def test_a_round_that_is_not_the_best_is_no_gain() -> None:
    made = state(2, objections=(objection("r0.0", 0, "minor"), objection("r1.0", 1, "critical")))
    assert routes.why_ended(made, NegotiationSpec()) == "no_gain"


def test_the_screen_sends_on_by_what_it_found() -> None:
    cheap, costly = seat(FakeVerifier(cost="cheap")), seat(FakeVerifier())
    bare, full = table(), table(critic=FakeCritic(), verifiers=[cheap, costly], retries=1)
    assert routes.after_screen(state(), at(bare)) == "weigh"
    assert routes.after_screen(state(), at(full)) == "verify"
    assert routes.after_screen(state(), at(table(critic=FakeCritic(), verifiers=[cheap]))) == "criticise"
    assert routes.after_screen(state(verdicts=(verdict(0, "fail"),)), at(full)) == "weigh"
    assert routes.after_screen(state(verdicts=(verdict(0, "fail", required=False),)), at(full)) == "verify"
    assert routes.after_screen(state(probes=(near(0),)), at(full)) == "propose"
    assert routes.after_screen(state(2, probes=(near(0), near(1))), at(full)) == "weigh"
    broke = replace(full, settings=NegotiationSpec(max_tokens=1))
    spent = state(probes=(near(0),), turns=(turn("propose", tokens=1),))
    assert routes.after_screen(spent, at(broke)) == "weigh"


def test_the_reviser_sends_on_by_what_it_did() -> None:
    contest = Rebuttal(objection="r0.0", round=0, action="contest")
    contested = state(objections=OPEN, rebuttals=(contest,))
    assert routes.after_revise(contested, at(table())) == "rule"
    ruled = state(
        objections=OPEN,
        rebuttals=(contest,),
        rulings=(Ruling(objection="r0.0", round=0, outcome="upheld"),),
        weighed=0,
    )
    assert routes.after_revise(ruled, at(table())) == "weigh"
    assert routes.after_revise(state(2, weighed=0), at(table())) == "screen"
    assert routes.after_rule(state(2, weighed=0)) == "screen"
    assert routes.after_rule(state(ending="failed")) == "__end__"
    assert routes.after_revise(state(ending="no_gain", best_round=0), at(table())) == "__end__"


def test_the_panel_hears_only_what_it_could_let_in() -> None:
    panel = table(judges=[judge_seat("one", FakeJudge())])
    assert routes.after_weigh(state(ending="settled", best_round=0), at(panel)) == "judge"
    assert routes.after_weigh(state(ending="settled", best_round=0), at(table())) == "__end__"
    assert routes.after_weigh(state(ending="near_duplicate", best_round=0), at(panel)) == "__end__"
    assert routes.after_weigh(state(ending="no_gain", best_round=0, objections=OPEN), at(panel)) == "__end__"
    assert routes.after_weigh(state(objections=OPEN), at(panel)) == "revise"


def test_a_task_begins_where_it_has_a_draft() -> None:
    assert (routes.first(opening(ticket())), routes.first(state())) == ("propose", "revise")


def test_a_limit_grows_with_rounds_and_retries() -> None:
    limits = [routes.recursion_limit(rounds, retries) for rounds in range(21) for retries in range(11)]
    assert min(limits) > 6 and routes.recursion_limit(3, 1) < routes.recursion_limit(4, 1)
    assert routes.recursion_limit(3, 1) < routes.recursion_limit(3, 2)


# -- calls ------------------------------------------------------------------------------------------------------


async def test_together_keeps_order_and_raises_the_first_error_in_order() -> None:
    import asyncio

    async def say(value: int, after: float) -> int:
        await asyncio.sleep(after)
        return value

    async def fail(text: str, after: float) -> int:
        await asyncio.sleep(after)
        raise ValueError(text)

    assert await together([say(1, 0.002), say(2, 0.0)]) == [1, 2]
    with pytest.raises(ValueError, match="first"):
        await together([fail("first", 0.002), fail("second", 0.0)])


# -- sentences --------------------------------------------------------------------------------------------------


def test_sentences_of_a_passage() -> None:
    passage = (
        'St. Paul lived here once upon a time. "It was built in 1759," he said. Short one. '
        "The tower of J. Smeaton\nstood for a long time! Is it still there today, do you think?"
        "\n\nA last line without end"
    )
    assert sentences(passage) == (
        "St. Paul lived here once upon a time.",
        '"It was built in 1759," he said.',
        "The tower of J. Smeaton\nstood for a long time!",
        "Is it still there today, do you think?",
        "A last line without end",
    )


@given(st.text(alphabet="ab AB1.!?\n\"'”)( é字", max_size=300))
def test_every_sentence_stands_verbatim_in_its_passage(passage: str) -> None:
    found = sentences(passage)
    assert len(set(found)) == len(found)
    for sentence in found:
        assert sentence in passage and sentence == sentence.strip()
        assert len(sentence.split()) >= 5 and len(sentence) <= LONGEST_SENTENCE
