"""Records: frozen, closed, and the same after a trip through JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from symposia.records import (
    EVENT,
    Critique,
    Decision,
    Draft,
    Evidence,
    Failure,
    HumanDecision,
    JsonValue,
    Judgment,
    Negotiation,
    Neighbour,
    NoveltyVerdict,
    Objection,
    Persona,
    Rebuttal,
    Recipe,
    Record,
    Ruling,
    Sample,
    Task,
    TaskSettled,
    Ticket,
    Turn,
    Usage,
    Verdict,
    canonical_json,
    content_hash,
    unit_score,
)

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def negotiation(payload: dict[str, JsonValue], note: str) -> Negotiation:
    persona = Persona.model_validate({"id": "baker", "name": "A baker", "register": "casual"})
    return Negotiation(
        ticket=Ticket(task=Task(number=3, seed=payload, persona=persona, parameters=payload), as_of=2),
        graph="qa",
        turns=(Turn(round=0, role="teacher", kind="propose", model="local/x", text=note, value=payload),),
        drafts=(Draft(round=0, author="teacher", payload=payload), Draft(round=1, author="reviser", payload={})),
        critiques=(Critique(round=0, discarded=1),),
        objections=(Objection(id="r0.0", principle="p", severity="major", quote=note, reason=note),),
        rebuttals=(Rebuttal(objection="r0.0", round=1, action="contest", argument=note),),
        rulings=(Ruling(objection="r0.0", round=1, outcome="upheld"),),
        verdicts=(
            Verdict(verifier="v", kind="content", status="pass", evidence=Evidence(summary=note, data=payload)),
        ),
        probes=(
            NoveltyVerdict(
                check="c", novel=False, threshold=0.9, neighbours=(Neighbour(id="1", text=note, similarity=1),)
            ),
        ),
        judgments=(
            Judgment(judge="j", unscored="nonsense"),
            Judgment(judge="k", score=0.5, native=3, scale=(1, 5)),
        ),
        best_round=0,
        ending="max_rounds",
        failure=Failure(stage="judge", cause="deadline"),
    )


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(texts, json_values, max_size=3), texts)
def test_a_negotiation_is_equal_after_json(payload: dict[str, JsonValue], note: str) -> None:
    before = negotiation(payload, note)
    text = before.model_dump_json()
    after = Negotiation.model_validate_json(text)
    assert after == before
    assert after.model_dump_json() == text


def test_every_other_record_is_equal_after_json() -> None:
    human = HumanDecision(
        task=1,
        reviewer="ann",
        action="edit",
        edit={"question": "?"},
        policy="share",
        selection_probability=0.05,
        content_hash="a",
        constitution_hash="b",
        decided_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
    )
    decision = Decision(outcome="accepted", stage="review", evidence=("human:ann",), review=human)
    sample = Sample(id="x", task=1, graph="qa", messages=({"role": "user", "content": "hi"},), payload={"a": 1})
    recipe = Recipe.model_validate(
        {
            "graph": "qa",
            "source": {"use": "documents", "path": "x.md"},
            "roles": {"teacher": {"model": "local/smollm2"}, "judges": [{"model": "vllm/a/b", "params": {"k": 1}}]},
            "verifiers": ["schema", {"use": "length", "min_words": 5, "required": False}],
        }
    )
    records: list[Record] = [human, decision, sample, recipe]
    for record in records:
        assert type(record).model_validate_json(record.model_dump_json()) == record
    assert recipe.verifiers[1].params == {"min_words": 5}
    event = TaskSettled(task=1, decision=decision, usage=Usage(), accepted=1, rejected=0, parked=0, failed=0)
    assert EVENT.validate_json(event.model_dump_json()) == event


def test_records_are_frozen_and_closed() -> None:
    usage = Usage()
    with pytest.raises(ValidationError, match="frozen"):
        usage.calls = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Usage.model_validate({"call": 1})


@given(st.dictionaries(texts, json_values, max_size=4))
def test_canonical_json_does_not_depend_on_key_order(value: dict[str, Any]) -> None:
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


def test_an_unknown_price_stays_unknown() -> None:
    known, unknown = Usage(calls=1, cost_usd=0.5), Usage(calls=1, cost_usd=None)
    assert (known + known).cost_usd == 1.0
    assert (known + unknown).cost_usd is None
    assert (unknown + known).calls == 2


def test_a_judgment_is_scored_or_says_why_not() -> None:
    with pytest.raises(ValidationError, match="either a score or a reason"):
        Judgment(judge="j")
    with pytest.raises(ValidationError, match="either a score or a reason"):
        Judgment(judge="j", score=0.2, unscored="nonsense")


@pytest.mark.parametrize(("native", "low", "high", "unit"), [(1, 1, 10, 0), (10, 1, 10, 1), (7, 1, 10, 6 / 9)])
def test_scores_are_kept_on_zero_to_one(native: float, low: float, high: float, unit: float) -> None:
    assert unit_score(native, low, high) == pytest.approx(unit)


def test_a_score_off_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        unit_score(11, 1, 10)


def test_objections_stand_until_fixed_or_withdrawn() -> None:
    base = negotiation({}, "x")
    objection = base.objections[0]
    fixed = base.model_copy(
        update={
            "objections": (objection.model_copy(update={"status": "fixed"}),),
            "rebuttals": (Rebuttal(objection="r0.0", round=1, action="fix"),),
        }
    )
    withdrawn = base.model_copy(update={"objections": (objection.model_copy(update={"status": "withdrawn"}),)})
    assert [o.id for o in base.open_objections(1)] == ["r0.0"]
    assert [o.id for o in fixed.open_objections(0)] == ["r0.0"]
    assert fixed.open_objections(1) == ()
    assert withdrawn.open_objections(0) == ()
    assert base.severity(0) == 3
