from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from symposia.records import (
    Critique,
    Decision,
    Draft,
    Evidence,
    Failure,
    HumanDecision,
    JsonObject,
    Judgment,
    Negotiation,
    Neighbour,
    NoveltyVerdict,
    Objection,
    Persona,
    Rebuttal,
    RepairStep,
    Ruling,
    Task,
    Ticket,
    Turn,
    TurnKind,
    Usage,
    Verdict,
)
from symposia.report.text import one_line, plain, shorten, wrap
from symposia.report.transcript import render, usage_text

PASSAGE = "The tower was lit in 1807 by a keeper named Ann."


def turn(round_: int, role: str, kind: TurnKind, **more: object) -> Turn:
    used = Usage(calls=1, prompt_tokens=100, completion_tokens=20)
    return Turn.model_validate(
        {"round": round_, "role": role, "kind": kind, "model": "local/smollm2", "text": "…", "usage": used, **more}
    )


def full() -> Negotiation:
    first: JsonObject = {"question": "When?", "answer": "In 1870.", "quote": "lit in 1807"}
    second: JsonObject = {"question": "When was the tower lit?", "answer": "In 1807.", "quote": "lit in 1807"}
    return Negotiation(
        ticket=Ticket(
            task=Task(
                number=7,
                seed={"passage": PASSAGE, "title": "Lighthouses"},
                source_id="lighthouses.md#3",
                persona=Persona(id="nurse", name="A night-shift nurse", speech_register="casual"),
                system="Be kind.",
            )
        ),
        graph="qa",
        turns=(
            turn(
                0,
                "teacher",
                "propose",
                repairs=(
                    RepairStep(action="constrain", ok=False, error="no quote"),
                    RepairStep(action="mend", ok=True),
                ),
            ),
            turn(0, "critic", "criticise"),
            turn(1, "reviser", "revise"),
            turn(1, "critic", "rule"),
            turn(1, "judge:rubric", "judge"),
        ),
        drafts=(Draft(round=0, author="teacher", payload=first), Draft(round=1, author="reviser", payload=second)),
        critiques=(Critique(round=0, discarded=1), Critique(round=1)),
        objections=(
            Objection(
                id="r0.0",
                principle="faithful-to-source",
                severity="major",
                quote="In 1870",
                reason="The passage says 1807.",
                suggestion="Say 1807.",
                status="fixed",
            ),
            Objection(
                id="r0.1",
                principle="self-contained",
                severity="minor",
                quote="When?",
                reason="When what?",
                status="withdrawn",
            ),
        ),
        rebuttals=(
            Rebuttal(objection="r0.0", round=1, action="fix", argument="corrected the year"),
            Rebuttal(objection="r0.1", round=1, action="contest", argument="the question is clear"),
        ),
        rulings=(Ruling(objection="r0.1", round=1, outcome="withdrawn", reason="true"),),
        verdicts=(
            Verdict(
                verifier="grounded",
                kind="content",
                status="fail",
                cause="number_not_found",
                evidence=Evidence(summary="1870 is not in the passage.", excerpt="In 1870."),
                round=0,
            ),
            Verdict(
                verifier="grounded",
                kind="content",
                status="pass",
                evidence=Evidence(summary="The quote stands in the passage."),
                round=1,
            ),
            Verdict(
                verifier="length",
                kind="form",
                status="abstain",
                required=False,
                evidence=Evidence(summary="No limit."),
                round=1,
            ),
        ),
        probes=(
            NoveltyVerdict(
                check="exact",
                novel=False,
                threshold=0.92,
                similarity=0.95,
                neighbours=(Neighbour(id="3", text="Lit when?", similarity=0.95),),
                round=0,
            ),
            NoveltyVerdict(check="exact", novel=True, threshold=0.92, similarity=0.4, round=1),
        ),
        judgments=(
            Judgment(
                judge="rubric", model="local/smollm2", score=7 / 9, native=8, scale=(1, 10), rationale="Good."
            ),
            Judgment(judge="second", unscored="unparsable"),
        ),
        best_round=1,
        ending="settled",
    )


def test_the_conversation_tells_everything_in_order() -> None:
    decision = Decision(outcome="accepted", stage="settle", evidence=("verifier:grounded",), score=7 / 9)
    text = render(full(), decision, 100)
    order = [
        "task 7 · qa · lighthouses.md#3",
        "A night-shift nurse (casual)",
        "Be kind.",
        PASSAGE,
        "── round 0 ",
        "↻ constrain: no: no quote",
        "↻ mend: ok",
        "teacher (local/smollm2) drafts",
        "In 1870.",
        "✗ grounded   (content) number_not_found: 1870 is not in the passage.",
        "✗ near duplicate: 0.950, at or above 0.92",
        "“Lit when?”",
        "critic (local/smollm2) objects (1 without ground discarded)",
        "[r0.0] major · faithful-to-source · fixed",
        "“In 1870”",
        "The passage says 1807.",
        "→ Say 1807.",
        "[r0.1] minor · self-contained · withdrawn",
        "── round 1 ",
        "[r0.0] fixes: corrected the year",
        "[r0.1] contests: the question is clear",
        "[r0.1] withdrawn: true",
        "reviser (local/smollm2) drafts",
        "When was the tower lit?",
        "✓ grounded   (content) The quote stands in the passage.",
        "– length     (form, advisory) No limit.",
        "✓ new: nearest at 0.400, below 0.92",
        "has no objection",
        "── end ",
        "judge rubric (local/smollm2) gives 0.78 (8 on 1–10), advisory",
        "judge second gives no score: unparsable",
        "nothing is open any more; the draft of round 1 stands",
        "ACCEPTED at settle",
        "verifier:grounded",
        "5 calls · 500 tokens read, 100 written · $0",
    ]
    at = -1
    for part in order:
        found = text.find(part, at + 1)
        assert found > at, f"{part!r} is missing after {at}\n{text}"
        at = found


def test_a_failure_and_what_was_said_are_told() -> None:
    negotiation = Negotiation(
        ticket=Ticket(task=Task(number=0)),
        graph="qa",
        turns=(turn(0, "teacher", "propose", text="I would rather not.", usage=Usage(calls=1, cost_usd=None)),),
        ending="unusable",
        failure=Failure(stage="propose", cause="unparsable", detail="no JSON"),
    )
    text = render(negotiation, Decision(outcome="rejected", stage="propose", cause="unparsable"))
    for part in (
        "I would rather not.",
        "could not be used",
        "propose: unparsable: no JSON",
        "REJECTED at propose: unparsable",
        "cost unknown",
    ):
        assert part in text


def test_what_a_person_decided_is_told() -> None:
    human = HumanDecision.model_validate(
        {
            "task": 7,
            "reviewer": "ann",
            "action": "send_back",
            "note": "Ask about the keeper.",
            "reasons": ["off_topic"],
            "blind": True,
            "policy": "all",
            "selection_probability": 1.0,
            "content_hash": "",
            "constitution_hash": "",
            "decided_at": "2026-01-01T00:00:00Z",
        }
    )
    text = render(full(), Decision(outcome="rejected", stage="review", cause="sent_back", review=human))
    assert "ann (all, blind) send back [off_topic]: Ask about the keeper." in text


HOSTILE = "a\x1b]0;owned\x07b\x1b[2J\x9b31m\u202edesrever\r\nnext\rline\x00\x7f"


def test_no_model_steers_the_terminal() -> None:
    hostile = full().model_copy(
        update={
            "drafts": (Draft(round=0, author=HOSTILE, payload={HOSTILE: HOSTILE, "list": [HOSTILE]}),),
            "objections": (
                Objection(id=HOSTILE, principle=HOSTILE, severity="major", quote=HOSTILE, reason=HOSTILE),
            ),
        }
    )
    text = render(hostile, Decision(outcome="rejected", stage="judge", cause=HOSTILE, detail=HOSTILE))
    assert not [
        char for char in text if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char == "\u202e"
    ]
    assert "␛]0;owned" in text


@given(st.text(max_size=200), st.integers(20, 120))
def test_wrapped_text_is_safe_and_loses_no_word(text: str, width: int) -> None:
    lines = wrap(text, width, "  ")
    assert all(
        char == "\n" or char.isprintable() or char == " " or ord(char) > 0x9F for line in lines for char in line
    )
    assert "".join("".join(lines).split()) == "".join(plain(text).split())


@given(st.text(max_size=50), st.integers(1, 30))
def test_a_shortened_text_is_short_and_one_line(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert "\n" not in short
    if len(one_line(text)) <= length:
        assert short == one_line(text)


def test_lines_keep_within_the_width() -> None:
    assert max(len(line) for line in render(full(), None, 80).splitlines()) <= 80


def test_money_is_never_guessed() -> None:
    assert usage_text(Usage(calls=1, cost_usd=None)).endswith("cost unknown")
    assert usage_text(Usage(calls=2, cost_usd=0.12)).endswith("$0.12")
