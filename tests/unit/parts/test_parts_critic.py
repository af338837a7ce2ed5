"""The critic ``constitution`` and the judge ``rubric``: what they ask, and what they make of the answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from symposia.contracts import Answer, Ask, Critic, Judge, UnusableAnswerError
from symposia.errors import EndpointError, RecipeError
from symposia.host import Host, Workbench
from symposia.records import (
    Constitution,
    Critique,
    Draft,
    Evidence,
    JsonObject,
    JsonValue,
    Judgment,
    Objection,
    Persona,
    Principle,
    Rebuttal,
    Task,
    Turn,
    Verdict,
    canonical_json,
)
from symposia.testing.conformance.rules import ScriptedRole, unreadable

HOST = Host(allow=())
BENCH = Workbench(HOST, Path())
CONSTITUTION = Constitution(
    name="small",
    principles=(
        Principle(id="brief", title="Brief", text="The answer is one sentence.", severity="minor"),
        Principle(
            id="true",
            title="True",
            text="Every claim is in the passage.",
            severity="critical",
            applicability="With a passage.",
            positive="It says 1807.",
            negative="It says 1870.",
        ),
        Principle(id="kind", title="Kind", text="The tone is kind.", severity="major"),
    ),
)
DRAFT = Draft(
    round=1,
    author="reviser",
    payload={
        "question": "When was it lit?",
        "answer": "It was lit  in\n1812. The <b>keeper</b> was a fool.",
        "n": 3,
    },
)
TASK = Task(
    number=7,
    seed={"passage": "It was lit in 1811.", "Weird Key!": "x", "1": "y", "sentences": ["It was lit in 1811."]},
    system="Be short.",
    persona=Persona(id="nurse", name="A nurse", description="Works at night.", style="exact"),
)


def critic(**params: JsonValue) -> Critic:
    part: Critic = BENCH.build("critic", "constitution", params)
    return part


def claim(principle: str, quote: str, **more: str) -> JsonObject:
    return {"principle": principle, "quote": quote, "reason": f"About {quote or principle}.", **more}


async def critique(*claims: JsonObject, draft: Draft = DRAFT, **params: JsonValue) -> Critique:
    said: list[JsonValue] = [*claims]
    found, _ = await critic(**params).criticise(
        draft, TASK, CONSTITUTION, (), ScriptedRole(lambda ask: {"objections": said})
    )
    return found


async def test_an_objection_keeps_the_span_as_it_stands_in_the_draft() -> None:
    found = await critique(claim("true", "lit in 1812", severity="major", fix="Write 1811."))
    assert found == Critique(
        round=1,
        objections=(
            Objection(
                id="r1.0",
                principle="true",
                severity="major",
                quote="lit  in\n1812",
                reason="About lit in 1812.",
                suggestion="Write 1811.",
                raised_in=1,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ('"It was lit"', "It was lit"),
        ("“a fool.”", "a fool."),
        ("", ""),
        ('""', ""),
        ("The ‹b>keeper‹/b>", "The ‹b>keeper‹/b>"),
        ("The <b>keeper</b>", "The <b>keeper</b>"),
        ("it was lit", None),
        ("lit … 1812", None),
        ("lit in 1811", None),
        ("question: When", None),
    ],
)
async def test_a_quote_is_checked_against_the_draft(quote: str, kept: str | None) -> None:
    found = await critique(claim("true", quote))
    assert [objection.quote for objection in found.objections] == ([] if kept is None else [kept])
    assert found.discarded == (kept is None)


async def test_a_quote_of_hostile_letters_is_no_pattern() -> None:
    draft = Draft(round=0, author="t", payload={"a": "(a+)+ [x] ^$"})
    assert [o.quote for o in (await critique(claim("true", "(a+)+ [x]"), draft=draft)).objections] == ["(a+)+ [x]"]


async def test_unknown_principles_are_discarded_and_counted() -> None:
    found = await critique(claim("polite", "a fool"), claim("kind", "a fool"))
    assert ([o.principle for o in found.objections], found.discarded) == (["kind"], 1)


async def test_a_severity_is_capped_and_by_default_that_of_the_principle() -> None:
    found = await critique(
        claim("brief", "a fool", severity="critical"),
        claim("true", "1812", severity="nonsense"),
        claim("kind", "fool", severity="Minor"),
    )
    assert {o.principle: o.severity for o in found.objections} == {
        "true": "critical",
        "brief": "minor",
        "kind": "minor",
    }
    assert [o.id for o in found.objections] == ["r1.0", "r1.1", "r1.2"]


async def test_claims_about_one_principle_are_one_objection() -> None:
    found = await critique(
        claim("true", "lit in 1812", severity="minor", fix="Write 1811."),
        claim("true", "a fool", severity="critical", fix="Leave it out."),
        claim("true", "lit in 1812", severity="minor", fix="Write 1811."),
    )
    (one,) = found.objections
    assert (one.quote, one.severity, one.suggestion) == ("lit  in\n1812", "critical", "Write 1811. Leave it out.")
    assert one.reason == 'About lit in 1812. Also in "a fool": About a fool.'


async def test_only_the_weightiest_objections_are_kept() -> None:
    claims = [claim("brief", "a fool"), claim("kind", "a fool"), claim("true", "1812")]
    found = await critique(*claims, max_objections=2)
    assert [o.principle for o in found.objections] == ["true", "kind"]


async def test_a_reply_that_can_not_be_read_is_unscored_and_leaves_its_turn() -> None:
    found, turns = await critic().criticise(DRAFT, TASK, CONSTITUTION, (), ScriptedRole(unreadable))
    assert found.unscored == "unparsable: no rung of the ladder helped"
    assert [turn.kind for turn in turns] == ["criticise"]


async def test_the_prompt_is_short_fenced_and_shows_facts_only() -> None:
    role = ScriptedRole(lambda ask: {"objections": []})
    failed = Verdict(
        verifier="grounded",
        kind="content",
        status="fail",
        cause="number_not_found",
        evidence=Evidence(summary="1812 is not there.", excerpt="in 1812", data={"n": 1}, private={"pid": 4711}),
    )
    passed = failed.model_copy(update={"status": "pass", "verifier": "length"})
    await critic().criticise(DRAFT, TASK, CONSTITUTION, (failed, passed), role)
    (ask,) = role.asks
    system, user = (message["content"] for message in ask.messages)
    assert (ask.kind, ask.task, ask.round, ask.index) == ("criticise", 7, 1, 0)
    assert "- true (critical): Every claim is in the passage." in system
    assert "Broken: It says 1870." in system and "It was lit" not in system
    assert '- grounded: fail (number_not_found). 1812 is not there. In: "in 1812". {"n": 1}' in user
    assert "length" not in user and "4711" not in user and "sentences" not in user
    for fence in (
        "<passage>",
        "<weird_key>",
        "<field_1>",
        "<system_instruction>",
        "<asked_by>",
        "<draft>",
        "<checks>",
    ):
        assert user.count(fence) == 1
    assert "<b>" not in user and "n: 3" in user
    assert ask.schema is not None and ask.smaller is not None
    assert '"enum":["brief","true","kind"]' in canonical_json(ask.schema.body).decode()


async def test_examples_can_be_left_out_and_change_the_fingerprint() -> None:
    role = ScriptedRole(lambda ask: {"objections": []})
    await critic(examples=False).criticise(DRAFT, TASK, CONSTITUTION, (), role)
    assert "Broken:" not in role.prompt()
    assert critic(examples=False).fingerprint != critic().fingerprint == critic().fingerprint


async def test_small_models_can_be_kept_short() -> None:
    for per_principle in (False, True):
        asked = ScriptedRole(lambda ask: {"broken": "yes"} if ask.kind == "check" else unreadable(ask))
        await critic(max_chars=120, per_principle=per_principle).criticise(DRAFT, TASK, CONSTITUTION, (), asked)
        long = asked.asks[-1].schema
        assert long is not None and canonical_json(long.body).count(b'"maxLength":120') == 3
    scored = ScriptedRole(unreadable, role="judge:strict")
    await judge(max_chars=50).judge(DRAFT, TASK, (), scored)
    short = scored.asks[0].schema
    assert short is not None and b'"maxLength":50' in canonical_json(short.body)


# -- one by one ----------------------------------------------------------------------------------------------------


async def test_one_by_one_asks_for_details_only_where_a_principle_is_broken() -> None:
    def script(ask: Ask) -> JsonValue:
        if ask.kind == "check":
            return {"broken": "yes" if ask.index == 1 else "no"}
        return {"quote": "1812", "reason": "Wrong year.", "severity": "major", "fix": "1811."}

    role = ScriptedRole(script)
    found, turns = await critic(per_principle=True).criticise(DRAFT, TASK, CONSTITUTION, (), role)
    assert [(o.principle, o.quote, o.severity) for o in found.objections] == [("true", "1812", "major")]
    assert found.unscored is None
    assert [(turn.kind, turn.value) for turn in turns][1] == ("check", {"broken": "yes"})
    assert [turn.kind for turn in turns] == ["check", "check", "criticise", "check"]
    checks = [ask for ask in role.asks if ask.kind == "check"]
    assert [ask.index for ask in checks] == [0, 1, 2]
    shared = [ask.messages[1]["content"].partition("Principle:")[0] for ask in checks]
    assert len(set(shared)) == 1, "the sample comes first, the principle last"


async def test_one_by_one_a_principle_that_can_not_be_read_leaves_the_critique_unscored() -> None:
    def script(ask: Ask) -> JsonValue:
        if ask.index == 2:
            return unreadable(ask)
        if ask.kind == "check":
            return {"broken": "YES "}
        return {"quote": "a fool" if ask.index else "not there", "reason": "So.", "fix": ""}

    found, _ = await critic(per_principle=True).criticise(DRAFT, TASK, CONSTITUTION, (), ScriptedRole(script))
    assert found.unscored == "no readable answer about: kind"
    assert ([o.principle for o in found.objections], found.discarded) == (["true"], 1)


async def test_one_by_one_an_endpoint_that_is_down_stops_all_questions() -> None:
    stopped = 0

    class Down(ScriptedRole):
        async def ask(self, ask: Ask) -> Answer:
            nonlocal stopped
            if ask.index == 0:
                raise EndpointError("down")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                stopped += 1
                raise
            return await super().ask(ask)

    with pytest.raises(EndpointError):
        await critic(per_principle=True).criticise(DRAFT, TASK, CONSTITUTION, (), Down(lambda ask: None))
    assert stopped == 2


# -- rulings -------------------------------------------------------------------------------------------------------

CONTESTED = [
    (
        Objection(id=f"r0.{n}", principle="true", severity="major", quote="1812", reason="Wrong."),
        Rebuttal(objection=f"r0.{n}", round=1, action="contest", argument=f"Argument {n}."),
    )
    for n in range(3)
]


async def rule(value: JsonValue) -> dict[str, tuple[str, str]]:
    rulings, _ = await critic().rule(DRAFT, TASK, CONSTITUTION, CONTESTED, ScriptedRole(lambda ask: value))
    return {ruling.objection: (ruling.outcome, ruling.reason) for ruling in rulings}


async def test_each_contested_objection_is_ruled_on() -> None:
    said: JsonValue = {
        "rulings": [
            {"objection": "r0.1", "outcome": "Withdrawn", "reason": "Right."},
            {"objection": "r0.2", "outcome": "withdrawn", "reason": "Yes."},
            {"objection": "r0.2", "outcome": "upheld", "reason": "No."},
            {"objection": "r9.9", "outcome": "withdrawn", "reason": "?"},
        ]
    }
    assert await rule(said) == {"r0.0": ("upheld", ""), "r0.1": ("withdrawn", "Right."), "r0.2": ("upheld", "No.")}


async def test_rulings_in_the_smaller_form_are_read_too() -> None:
    role = ScriptedRole(lambda ask: {"rulings": []})
    await critic().rule(DRAFT, TASK, CONSTITUTION, CONTESTED, role)
    (ask,) = role.asks
    assert ask.kind == "rule" and "Argument 2." in role.prompt() and ask.smaller is not None
    smaller = ask.smaller

    class Small(ScriptedRole):
        async def ask(self, ask: Ask) -> Answer:
            return await super().ask(Ask(ask.task, ask.round, ask.kind, ask.messages, smaller))

    rulings, _ = await critic().rule(
        DRAFT, TASK, CONSTITUTION, CONTESTED, Small(lambda ask: {"withdrawn": ["r0.0", "nope"]})
    )
    assert [ruling.outcome for ruling in rulings] == ["withdrawn", "upheld", "upheld"]


# -- judge ---------------------------------------------------------------------------------------------------------


def judge(**params: JsonValue) -> Judge:
    part: Judge = BENCH.build("judge", "rubric", params)
    return part


CRITERIA: list[JsonValue] = [
    {"name": "true", "text": "It is true.", "weight": 3},
    {"name": "rude", "text": "It is rude.", "weight": -1},
]


async def judged(value: JsonValue, **params: JsonValue) -> tuple[Judgment, tuple[Turn, ...]]:
    role = ScriptedRole(lambda ask: value, role="judge:strict")
    return await judge(**params).judge(DRAFT, TASK, (), role)


async def test_the_native_score_is_the_weighted_mean_with_negative_weights_mirrored() -> None:
    found, turns = await judged({"scores": {"true": 4, "rude": 2}, "reason": "Good."}, criteria=CRITERIA)
    assert found.native == (3 * 4 + 1 * 4) / 4 == 4.0
    assert (found.score, found.scale, found.rationale) == (0.75, (1, 5), "Good.")
    assert [(c.criterion, c.native, c.weight) for c in found.criteria] == [("true", 4, 3), ("rude", 2, -1)]
    assert (found.judge, found.model, found.round, len(turns)) == ("strict", "test/script", 1, 1)


async def test_a_scale_of_ten_is_n_minus_one_ninths() -> None:
    found, _ = await judged({"scores": {"true": 7, "rude": 4}, "reason": ""}, criteria=CRITERIA, low=1, high=10)
    assert found.native == 7 and found.score == pytest.approx(6 / 9)


@pytest.mark.parametrize("written", [4, 4.0, "4", " 4 "])
async def test_a_number_may_be_written_in_other_ways(written: JsonValue) -> None:
    found, _ = await judged({"scores": {"true": written, "rude": 1}}, criteria=CRITERIA)
    assert found.criteria[0].native == 4


@pytest.mark.parametrize(
    "value",
    [
        {"scores": {"true": 6, "rude": 1}},
        {"scores": {"true": 0, "rude": 1}},
        {"scores": {"true": True, "rude": 1}},
        {"scores": {"true": 3.5, "rude": 1}},
        {"scores": {"true": "good", "rude": 1}},
        {"scores": {"true": None, "rude": 1}},
        {"scores": {"true": 3}},
        {"scores": [3, 3]},
        [],
        "4",
    ],
)
async def test_a_reply_off_the_scale_is_unscored(value: JsonValue) -> None:
    found, turns = await judged(value, criteria=CRITERIA)
    assert found.score is None and found.native is None and str(found.unscored).startswith("unparsable: ")
    assert len(turns) == 1


async def test_the_judge_sees_findings_and_the_sample_fenced() -> None:
    role = ScriptedRole(lambda ask: unreadable(ask), role="judge:strict")
    verdict = Verdict(
        verifier="grounded", kind="content", status="pass", evidence=Evidence(summary="All is there.")
    )
    await judge().judge(DRAFT, TASK, (verdict,), role)
    prompt = role.prompt()
    assert "- grounded: pass. All is there." in prompt
    assert "- correct: " in prompt and '"correct": …, "helpful": …' in prompt
    assert "<b>" not in prompt and prompt.count("<sample>") == 1
    schema = role.asks[0].schema
    assert schema is not None and schema.body["required"] == ["scores", "reason"]


@pytest.mark.parametrize(
    "params",
    [
        {"criteria": []},
        {"criteria": [{"name": "a", "text": "x"}, {"name": "a", "text": "y"}]},
        {"criteria": [{"name": "a", "text": "x", "weight": 0}]},
        {"criteria": [{"name": "A b", "text": "x"}]},
        {"low": 5, "high": 5},
        {"low": 0, "high": 1000},
    ],
)
def test_a_rubric_that_makes_no_sense_is_refused(params: JsonObject) -> None:
    with pytest.raises(RecipeError):
        HOST.params("judge", "rubric", params)


async def test_an_unusable_answer_of_the_judge_keeps_its_cause() -> None:
    def cut_off(ask: Ask) -> JsonValue:
        turn = Turn(
            round=1, role="judge:strict", kind="judge", model="test/script", text="{", finish_reason="length"
        )
        raise UnusableAnswerError("cut off", turn, "truncated")

    found, turns = await judge().judge(DRAFT, TASK, (), ScriptedRole(cut_off, role="judge:strict"))
    assert found.unscored == "truncated: cut off" and turns[0].finish_reason == "length"
