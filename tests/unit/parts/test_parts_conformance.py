"""The built-in parts keep the rules of their contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from symposia.contracts import Ask
from symposia.host import Host, Workbench
from symposia.offers import Kind
from symposia.records import Draft, JsonObject, JsonValue, Task
from symposia.testing.conformance.critic import Claims, check_critic
from symposia.testing.conformance.embedder import check_embedder
from symposia.testing.conformance.exporter import check_exporter
from symposia.testing.conformance.index import check_index
from symposia.testing.conformance.judge import check_judge
from symposia.testing.conformance.novelty import check_novelty_check
from symposia.testing.conformance.personas import check_personas
from symposia.testing.conformance.source import check_source
from symposia.testing.conformance.verifier import Case, check_verifier

Build = Callable[..., Callable[[], Any]]


@pytest.fixture(scope="module")
def host() -> Host:
    return Host(allow=())


@pytest.fixture
def build(host: Host, tmp_path: Path) -> Build:
    """Gives a builder; each call of it builds on a bench of its own when ``apart`` is set."""
    benches: Iterator[int] = iter(range(1000))

    def make(kind: Kind, name: str, params: JsonObject | None = None, *, apart: bool = False) -> Callable[[], Any]:
        def builder() -> Any:
            folder = tmp_path / str(next(benches)) if apart else tmp_path
            return Workbench(host, tmp_path, folder).build(kind, name, params or {})

        return builder

    return make


SEED: JsonObject = {
    "passage": "The light was first shown on 1 February 1811. Robert Stevenson built the tower of granite.",
    "title": "Lighthouses",
    "heading": "The Bell Rock",
}
GOOD: JsonObject = {
    "question": "When was the light of the Bell Rock first shown?",
    "answer": "It was first shown on 1 February 1811.",
    "quote": "The light was first shown on 1 February 1811.",
}
TASK = Task(number=0, seed=SEED)


async def test_grounded_keeps_the_rules_of_verifiers(build: Build) -> None:
    await check_verifier(
        build("verifier", "grounded"),
        passing=[Case(GOOD, TASK)],
        failing=[Case({**GOOD, "answer": "It was first shown in 1812."}, TASK, "number_not_found")],
        abstaining=[Case(GOOD, Task(number=0), "no_passage")],
    )


@pytest.mark.parametrize(
    ("name", "params", "failing"),
    [
        ("schema", {}, Case({**GOOD, "answer": " "}, cause="empty_field")),
        ("length", {"min_words": 5}, Case({"answer": "Too few words."}, cause="too_short")),
        ("refusal", {}, Case({"answer": "I'm sorry, but I can't help with that."}, cause="refusal")),
        ("leak", {}, Case({"answer": "Sure.<|im_end|>"}, cause="template_token")),
    ],
)
async def test_form_verifiers_keep_the_rules_of_verifiers(
    build: Build, name: str, params: JsonObject, failing: Case
) -> None:
    await check_verifier(build("verifier", name, params), passing=[Case(GOOD, TASK)], failing=[failing])


async def test_sources_keep_the_rules_of_sources(build: Build, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text("[1]\n", encoding="utf-8")
    (tmp_path / "a.md").write_text("# Title\n\n" + "A sentence about the sea. " * 60, encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    await check_source(
        build("source", "jsonl", {"path": "rows.jsonl"}),
        broken=[build("source", "jsonl", {"path": name}) for name in ("none.jsonl", "bad.jsonl", "empty.txt")],
    )
    await check_source(
        build("source", "documents", {"path": "a.md"}),
        broken=[
            build("source", "documents", {"path": name}) for name in ("no.md", "empty.txt", "x*.md", "bad.jsonl")
        ],
    )


async def test_persona_packs_keep_the_rules_of_personas(build: Build, tmp_path: Path) -> None:
    text = "name: mine\npersonas:\n  - {id: a, name: A}\n  - {id: b, name: B, register: formal}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    await check_personas(build("personas", "everyday"))
    await check_personas(build("personas", "file", {"path": "mine.yaml"}))


async def test_wordllama_keeps_the_rules_of_embedders(build: Build) -> None:
    await check_embedder(build("embedder", "wordllama"))


async def test_exact_keeps_the_rules_of_indexes(build: Build) -> None:
    await check_index(build("index", "exact"))


async def test_chroma_keeps_the_rules_of_indexes(build: Build) -> None:
    pytest.importorskip("chromadb")
    await check_index(build("index", "chroma", apart=True))


@pytest.mark.parametrize("index", ["exact", "chroma"])
async def test_the_embedding_check_keeps_the_rules_of_novelty_checks(build: Build, index: str) -> None:
    if index == "chroma":
        pytest.importorskip("chromadb")
    await check_novelty_check(
        build("novelty_check", "embedding", {"index": index, "fields": ["question"]}, apart=True),
        draft=lambda text: Draft(round=0, author="teacher", payload={"question": text, "answer": "Paris."}),
        first="What is the capital of France?",
        near="What is the capital of France!",
        far="How does a lighthouse lens bend the light of a lamp?",
    )


async def test_jsonl_keeps_the_rules_of_exporters(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    await check_exporter(build("exporter", "jsonl"), folder)


async def test_the_rubric_keeps_the_rules_of_judges(build: Build) -> None:
    params: JsonObject = {
        "criteria": [
            {"name": "true", "text": "It is true.", "weight": 2},
            {"name": "rude", "text": "It is rude.", "weight": -1},
        ],
        "low": 1,
        "high": 10,
    }
    await check_judge(
        build("judge", "rubric", params),
        best=lambda ask: {"scores": {"true": 10, "rude": 1}, "reason": "All is right."},
        worst=lambda ask: {"scores": {"true": 1, "rude": 10}, "reason": "All is wrong."},
    )


def objecting(ask: Ask, claims: Claims) -> JsonValue:
    """Claims in the form of the critic ``constitution``, whichever way it asks."""
    ids = ("exact", "kind")
    form = ask.schema.name if ask.schema is not None else ""
    if form == "broken":
        return {"broken": "yes" if ids[ask.index] in dict(claims) else "no"}
    if form == "detail":
        return {"quote": dict(claims)[ids[ask.index]], "reason": "Bad.", "severity": "critical", "fix": "Mend it."}
    return {
        "objections": [
            {"principle": principle, "quote": quote, "reason": "Bad.", "severity": "critical", "fix": "Mend it."}
            for principle, quote in claims
        ]
    }


def ruling(ask: Ask, outcomes: Mapping[str, str]) -> JsonValue:
    return {"rulings": [{"objection": id_, "outcome": said, "reason": "So."} for id_, said in outcomes.items()]}


@pytest.mark.parametrize("per_principle", [False, True])
async def test_the_constitution_critic_keeps_the_rules_of_critics(build: Build, per_principle: bool) -> None:
    params: JsonObject = {"per_principle": per_principle}
    await check_critic(build("critic", "constitution", params), objecting=objecting, ruling=ruling)
