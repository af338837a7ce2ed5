"""The exporter ``jsonl`` and persona packs: what goes beyond the rules of their contracts."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from symposia.errors import ExportError, RecipeError
from symposia.host import Host, Workbench
from symposia.records import JsonValue
from symposia.testing.conformance.exporter import example_samples

HOST = Host(allow=())


def part(kind: Any, name: str, folder: Path, **params: JsonValue) -> Any:
    return Workbench(HOST, folder, folder).build(kind, name, params)


# -- exporter ------------------------------------------------------------------------------------------------------


def test_a_row_holds_the_chat_the_payload_and_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dataset.jsonl"
    part("exporter", "jsonl", tmp_path).write(example_samples()[:2], path)
    plain, full = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert list(plain) == ["id", "messages", "payload", "metadata"]
    assert plain["messages"][0] == {"role": "user", "content": "Why?"}
    assert plain["metadata"] == {"graph": "qa", "rounds": 1}
    assert list(full["metadata"]) == [
        "graph", "source_id", "persona", "evidence", "score", "rounds", "models", "constitution", "human",
    ]  # fmt: skip
    assert list(full["metadata"]["models"]) == ["critic", "teacher"]
    assert "null" not in path.read_text(encoding="utf-8")


def test_a_sample_that_holds_nothing_is_no_row(tmp_path: Path) -> None:
    empty = example_samples()[0].model_copy(update={"messages": (), "payload": {}})
    with pytest.raises(ExportError, match="holds nothing"):
        part("exporter", "jsonl", tmp_path).write([empty], tmp_path / "d.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text("old\n")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(call, full)
    with pytest.raises(ExportError, match="No space left") as caught:
        part("exporter", "jsonl", tmp_path).write(example_samples(), path)
    assert "free space" in caught.value.hint
    assert path.read_text() == "old\n" and [file.name for file in tmp_path.iterdir()] == ["d.jsonl"]


# -- personas ------------------------------------------------------------------------------------------------------


def test_the_everyday_pack_has_many_people_of_every_register() -> None:
    personas = part("personas", "everyday", Path()).personas()
    assert len(personas) >= 60
    assert {p.speech_register for p in personas} >= {"plain", "casual", "formal", "technical", "playful"}
    assert all(p.style and p.expertise and p.description for p in personas)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("name: x\npersonas: []\n", "p.yaml:2"),
        ("name: x\npersonas:\n  - id: a\n    name: A\n    registr: plain\n", "did you mean 'register'"),
        ("name: x\npersonas:\n  - {id: a, name: A}\n  - {id: a, name: B}\n", "persona id 'a' stands twice"),
        ("name: [", "p.yaml:"),
        ("name: x\npersonas:\n  - id: A B\n    name: A\n", "'A B' is not a name"),
        ("name: x\npersonas:\n  - id: a\n    name: A\n    register: posh\n", "'posh' is not possible"),
    ],
)
def test_a_mistake_in_a_pack_is_shown_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        part("personas", "file", tmp_path, path="p.yaml")
    assert says in str(caught.value) and "p.yaml" in str(caught.value)


def test_a_missing_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml"):
        part("personas", "file", tmp_path, path="none.yaml")
