from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from support.cli_plugin import RECIPE, install_plugin
from symposia.cli.app import root
from symposia.cli.commands import review as review_command
from symposia.cli.reviewing import LineReview, make_check
from symposia.host import Host
from symposia.records import HumanDecision, JsonObject
from symposia.review.queue import ReviewQueue, Waiting
from symposia.store import RunStore, list_runs


def symposia(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(root, list(arguments), input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in which four samples wait."""
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "site")))
    (tmp_path / "talk.yaml").write_text(RECIPE + "parameters: {park: true}\n")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    assert symposia("run", "talk.yaml", "--quiet").exit_code == 7
    return list_runs(Path("runs"))[0].folder


def lines(*decisions: JsonObject) -> str:
    return "".join(json.dumps(decision) + "\n" for decision in decisions)


def decisions(folder: Path) -> dict[int, HumanDecision]:
    with RunStore.open(folder) as store:
        return {task: found.review for task, found in store.decisions() if found.review is not None}


def test_what_waits_is_listed(folder: Path) -> None:
    listed = json.loads(symposia("review", "talk", "--list", "--json").output)
    assert [found["task"] for found in listed] == [0, 1, 3, 4]
    assert listed[0]["actions"] == ["accept", "edit", "reject", "send_back"]
    assert listed[0]["payload"]["text"].startswith("draft of task 0")
    assert "draft of task 3" in symposia("review", "talk", "--list").output


def test_decisions_come_as_lines_of_json(folder: Path) -> None:
    listed = json.loads(symposia("review", "talk", "--list", "--json").output)
    said = lines(
        {"task": 0, "action": "accept", "content_hash": listed[0]["content_hash"], "bulk": False, "blind": True},
        {"task": 1, "action": "reject", "reasons": ["off_topic"], "note": "dull"},
        {"task": 3, "action": "send_back", "note": "say more", "reviewer": "bob"},
    )
    done = symposia("review", "talk", "--json", "--reviewer", "ann", stdin=said)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["queued"], told["settled"], told["accepted"], told["parked"]) == (3, True, 1, 1)
    made = decisions(folder)
    accepted, rejected = made[0], made[1]
    assert (accepted.reviewer, accepted.blind, accepted.bulk, accepted.policy) == ("ann", True, False, "all")
    assert (accepted.selection_probability, accepted.content_hash) == (1.0, listed[0]["content_hash"])
    assert accepted.decided_at.tzinfo is not None
    assert (rejected.bulk, rejected.reasons, rejected.note) == (True, ("off_topic",), "dull")
    assert made[3].reviewer == "bob"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", "line 2: not JSON"),
        (lines({"task": 1, "action": "acept"}), "line 2: action: 'acept' is not possible"),
        (lines({"task": 1}), "line 2: action: is missing"),
        (lines({"task": 9, "action": "accept"}), "line 2: task 9 waits for nobody"),
        (lines({"task": 1, "action": "reject", "reasons": ["dul"]}), "line 2: task 1: 'dul' is no reason"),
        (lines({"task": 1, "action": "send_back"}), "'send_back' needs a note"),
        (lines({"task": 1, "action": "edit"}), "an edited payload goes with"),
        (lines({"task": 1, "action": "accept", "content_hash": "0" * 64}), "is another draft"),
        (lines({"task": 0, "action": "accept"}), "line 2: task 0 was decided about in an earlier line"),
    ],
)
def test_one_bad_line_stores_nothing(folder: Path, bad: str, message: str) -> None:
    done = symposia("review", "talk", "--json", stdin=lines({"task": 0, "action": "accept"}) + bad)
    assert done.exit_code == 2
    assert message in done.stderr
    assert decisions(folder) == {}
    assert len(json.loads(symposia("review", "talk", "--list", "--json").output)) == 4


def test_without_a_terminal_it_says_what_to_do(folder: Path) -> None:
    done = symposia("review", "talk")
    assert done.exit_code == 2
    assert "--json" in done.output


def test_a_run_that_goes_on_settles_itself(folder: Path) -> None:
    from symposia.store import RunLock

    with RunLock(folder):
        done = symposia("review", "talk", "--json", stdin=lines({"task": 0, "action": "accept"}))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["settled"] is False
    assert "the run is going on" in done.stderr
    with RunStore.open(folder) as store:
        assert [queued.human.task for queued in store.queued_reviews()] == [0]


class Sitting:
    """Answers to prompts, in order; remembers what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers: Iterator[str] = iter(answers)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        try:
            return next(self.answers)
        except StopIteration:
            raise EOFError from None


def sit(folder: Path, answers: Sitting, *, blind: bool = True) -> list[HumanDecision]:
    with RunStore.open(folder, write=True) as store:
        queue = ReviewQueue(store)
        return LineReview(queue, "ann", blind, make_check(store, Host()), 80, answers).run(list(queue.waiting()))


def test_a_sitting_decides_with_letters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = Sitting("x", "a", "v", "r", "wrong_fact, off_topic", "no", "s", "b", "", "", "b", "say more", "")
    made = sit(folder, answers)
    assert [(human.task, human.action, human.blind) for human in made] == [
        (0, "accept", True),
        (1, "reject", False),
        (4, "send_back", True),
    ]
    assert made[1].reasons == ("wrong_fact", "off_topic")
    assert made[2].note == "say more"
    assert all(human.reviewer == "ann" and not human.bulk for human in made)
    said = capsys.readouterr()
    assert "1 of 4 · task 0" in said.out
    assert "'send_back' needs a note" in said.err
    with RunStore.open(folder) as store:
        assert [queued.human for queued in store.queued_reviews()] == made


def test_leaving_keeps_what_was_decided(folder: Path) -> None:
    assert [human.task for human in sit(folder, Sitting("a", "q", "a"))] == [0]
    assert [human.task for human in sit(folder, Sitting("a"))] == [1]


def test_a_blind_sitting_hides_what_others_thought(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sit(folder, Sitting("q"))
    hidden = capsys.readouterr().out
    assert "draft of task 0" in hidden
    assert "nothing is open" not in hidden
    sit(folder, Sitting("q"), blind=False)
    assert "nothing is open" in capsys.readouterr().out


def test_an_edit_is_made_in_the_editor_and_validated(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text(
        '#!/bin/sh\nif grep -q "^# a" "$1"; then echo "text: mended" > "$1"; else echo "- a" > "$1"; fi\n'
    )
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr("symposia.cli.reviewing.parse_yaml", parse_with_reason)
    made = sit(folder, Sitting("e", "y", "better so", "q"))
    assert [(human.task, human.action, human.edit, human.note) for human in made] == [
        (0, "edit", {"text": "mended"}, "better so")
    ]


def parse_with_reason(text: str, name: str) -> object:
    """What the real one does; a list is refused so that the editor is opened again with the reason on top."""
    from symposia.errors import RecipeError
    from symposia.yamldoc import parse_yaml

    if text.startswith("- a"):
        raise RecipeError("a list is no draft")
    return parse_yaml(text, name)


def test_an_editor_that_is_missing_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-at-all")
    assert sit(folder, Sitting("e", "q")) == []
    assert "no-such-editor-at-all" in capsys.readouterr().err


def test_the_command_sits_down_with_a_person(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_command, "is_terminal", lambda stream=None: True)
    done = symposia("review", "talk", "--reviewer", "ann", stdin="a\na\na\na\n")
    assert done.exit_code == 0, done.output
    for part in ("4 samples wait", "4 of 4 · task 4", "4 decided", "is complete: 4 accepted"):
        assert part in done.output


def test_a_sample_that_was_accepted_in_place_can_stay_or_go(folder: Path) -> None:
    from symposia.errors import UsageError
    from symposia.records import Decision

    with RunStore.open(folder, write=True) as store:
        queue = ReviewQueue(store)
        first = next(queue.waiting())
        decision = Decision(outcome="accepted", stage="settle", policy="share", selection_probability=0.1)
        waiting = Waiting(first.negotiation, decision)
        assert waiting.actions == ("accept", "reject")
        with pytest.raises(UsageError, match="'edit' is not possible"):
            queue.record(waiting, reviewer="ann", action="edit", edit={"text": "x"})
        human = queue.record(waiting, reviewer="ann", action="reject")
        assert (human.policy, human.selection_probability) == ("share", 0.1)
