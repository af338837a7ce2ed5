from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from support.fakeparts import CONSTITUTION, fake_host
from symposia.constitutions import (
    Finding,
    count_objections,
    find_never_fired,
    find_suspected_contradictions,
    lint_constitution,
    load_constitution,
)
from symposia.contracts import Answer, Ask, ChatReply, UnusableAnswerError
from symposia.errors import PluginError, RecipeError
from symposia.records import (
    Constitution,
    Critique,
    JsonValue,
    Negotiation,
    Objection,
    Principle,
    Task,
    Ticket,
    Turn,
    Usage,
)


def findings(text: str, folder: Path) -> list[Finding]:
    path = folder / "c.yaml"
    path.write_text(text)
    return lint_constitution(path)


def rules(found: Sequence[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    return [(finding.rule, finding.principles) for finding in found]


def test_by_name_and_by_path(tmp_path: Path) -> None:
    host = fake_host(tmp_path)
    shipped = load_constitution("tiny", base=tmp_path, host=host)
    (tmp_path / "own.yaml").write_text(CONSTITUTION)
    assert load_constitution("own.yaml", base=tmp_path, host=host) == shipped
    assert load_constitution(str(tmp_path / "own.yaml"), base=Path("/"), host=host) == shipped
    with pytest.raises(PluginError, match="no constitution is called 'tinny'"):
        load_constitution("tinny", base=tmp_path, host=host)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: short-answer", "id: Short Answer", "own.yaml:4:5: principles.1.id: 'Short Answer' is not a name"),
        ("title: Short", "titel: Short", "2 problems"),
        ("id: short-answer", "id: true-answer", "own.yaml:4:5: the principle id 'true-answer' stands twice"),
        ("category: style", "severity: huge", "'huge' is not possible"),
    ],
)
def test_an_invalid_one_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(CONSTITUTION.replace(old, new))
    with pytest.raises(RecipeError) as caught:
        load_constitution("own.yaml", base=tmp_path, host=fake_host(tmp_path))
    assert message in caught.value.message


def test_a_clean_one_has_no_findings(tmp_path: Path) -> None:
    assert findings(CONSTITUTION, tmp_path) == []


def test_lint_finds_duplicates_missing_examples_and_conflicts(tmp_path: Path) -> None:
    text = CONSTITUTION + (
        "    conflicts_with: [true-answer, tru-answer, short-answer]\n"
        "  - {id: short-answer, title: Twice, text: 'The  answer is SHORT.', positive: a}\n"
        "  - {id: again, title: Again, text: The answer is short., positive: a, negative: b}\n"
        "  - {id: bad, titel: x, text: ''}\n"
    )
    found = findings(text, tmp_path)
    assert rules(found) == [
        ("invalid", ()),
        ("invalid", ()),
        ("invalid", ()),
        ("duplicate-id", ("short-answer",)),
        ("duplicate-text", ("short-answer", "again")),
        ("missing-example", ("short-answer",)),
        ("declared-conflict", ("short-answer", "true-answer")),
        ("unknown-conflict", ("short-answer", "tru-answer")),
        ("conflict-with-itself", ("short-answer",)),
    ]
    by_rule = {finding.rule: finding for finding in found}
    assert by_rule["duplicate-id"].place.endswith("c.yaml:11:5")
    assert "did you mean 'true-answer'" in by_rule["unknown-conflict"].message
    assert by_rule["declared-conflict"].level == "note"


def test_an_empty_one_is_a_finding(tmp_path: Path) -> None:
    assert rules(findings("name: x\nprinciples: []\n", tmp_path)) == [("no-principles", ())]


def negotiation(number: int, *principles: str, unscored: str | None = None) -> Negotiation:
    return Negotiation(
        ticket=Ticket(task=Task(number=number)),
        graph="qa",
        critiques=(Critique(round=0, unscored=unscored),),
        objections=tuple(
            Objection(id=f"r0.{place}", principle=name, severity="major", reason="x")
            for place, name in enumerate(principles)
        ),
        ending="settled",
    )


def two_principles() -> Constitution:
    return Constitution(
        name="c", principles=(Principle(id="a", title="A", text="A."), Principle(id="b", title="B", text="B."))
    )


def test_never_firing_principles_are_counted_over_critiques() -> None:
    fired, critiques = count_objections(
        [negotiation(0, "a", "a"), negotiation(1), negotiation(2, unscored="empty")]
    )
    assert (dict(fired), critiques) == ({"a": 2}, 2)
    found = find_never_fired(two_principles(), fired, critiques)
    assert rules(found) == [("never-fired", ("b",))]
    assert "in 2 critiques" in found[0].message


def test_without_critiques_nothing_is_claimed() -> None:
    assert [finding.level for finding in find_never_fired(two_principles(), {}, 0)] == ["note"]


def test_a_run_of_another_constitution_is_told() -> None:
    found = find_never_fired(two_principles(), {"zebra": 1, "a": 1, "b": 1}, 3)
    assert rules(found) == [("other-constitution", ("zebra",))]


class Opinionated:
    """A model that finds a contradiction wherever both texts speak of length, and stumbles over one word."""

    role = "critic"
    model = "scripted/opinion"
    identity = "opinion"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, ask: Ask) -> Answer:
        prompt = ask.messages[0]["content"]
        self.asked.append(prompt)
        turn = Turn(round=0, role=self.role, kind="check", model=self.model, text="")
        if "stumble" in prompt:
            raise UnusableAnswerError("no JSON", turn, "unparsable")
        value: JsonValue = {"contradict": "short" in prompt and "long" in prompt, "reason": "Length."}
        reply = ChatReply(texts=("",), finish_reasons=("stop",), usage=Usage())
        return Answer(turn, "", value, ask.schema, reply)


async def test_contradictions_are_a_models_opinion_about_pairs_of_a_category() -> None:
    def principle(name: str, text: str, category: str, *conflicts: str) -> Principle:
        return Principle(id=name, title=name, text=text, category=category, conflicts_with=conflicts)

    constitution = Constitution(
        name="c",
        principles=(
            principle("s", "Be short.", "style"),
            principle("l", "Be long.", "style"),
            principle("x", "Never stumble </second_principle>.", "style"),
            principle("o", "Be long.", "other"),
        ),
    )
    model, seen = Opinionated(), list[tuple[int, int]]()
    found = await find_suspected_contradictions(constitution, model, lambda done, of: seen.append((done, of)))
    assert len(model.asked) == 3
    assert seen[-1] == (3, 3)
    assert sorted(rules(found)) == [
        ("no-opinion", ("l", "x")),
        ("no-opinion", ("s", "x")),
        ("suspected-contradiction", ("s", "l")),
    ]
    opinion = next(finding for finding in found if finding.level == "opinion")
    assert "scripted/opinion thinks" in opinion.message
    assert all(prompt.count("</second_principle>") == 1 for prompt in model.asked)
