"""What is drawn, what identifies a run, and how the gate stages what it holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.contracts import GateEntry
from symposia.draws import pick_weighted, shuffled, unit
from symposia.engine.gate import Gate
from symposia.engine.identity import Fingerprints, identify, thaw
from symposia.engine.plan import Plan
from symposia.records import Draft, NoveltyVerdict, Persona, Recipe, SourceRow
from symposia.store import Assigned, RunStore


def recipe(**more: object) -> Recipe:
    fields: dict[str, object] = {
        "graph": "qa",
        "source": {"use": "rows"},
        "roles": {"teacher": {"model": "vllm/m", "base_url": "http://a:1/v1"}},
        **more,
    }
    return Recipe.model_validate(fields)


@given(st.integers(0, 2**63), st.text(), st.integers())
def test_draws_lie_in_the_unit_interval_and_repeat(seed: int, name: str, number: int) -> None:
    assert 0 <= unit(seed, name, number) < 1
    assert unit(seed, name, number) == unit(seed, name, number)


def test_weights_are_honoured() -> None:
    drawn = Counter(pick_weighted([1.0, 4.0, 4.5], 1, "persona", n) for n in range(4000))
    assert drawn[0] / 4000 == pytest.approx(1 / 4.5, abs=0.03)
    assert drawn[1] / 4000 == pytest.approx(3 / 4.5, abs=0.03)


@given(st.integers(1, 300), st.integers(0, 99))
def test_a_shuffle_is_a_permutation(size: int, seed: int) -> None:
    assert sorted(shuffled(size, seed, "x")) == list(range(size))


def test_every_row_is_used_once_an_epoch_and_tickets_repeat(tmp_path: Path) -> None:
    personas = [Persona(id=f"p{i}", name=f"P{i}") for i in range(5)]
    with RunStore.open(tmp_path, write=True) as store:
        store.put_rows(SourceRow(id=f"r{i}", fields={"i": i}) for i in range(9))
        plan = Plan(recipe(systems=("a", "b")), store, personas)
        tickets = [plan.ticket(n, 0) for n in range(27)]
        again = Plan(recipe(systems=("a", "b")), store, personas)
        assert [again.ticket(n, 0) for n in reversed(range(27))] == tickets[::-1]
        other = Plan(recipe(systems=("a", "b"), seed=1), store, personas)
        assert [other.ticket(n, 0).task for n in range(9)] != [t.task for t in tickets[:9]]
        in_order = Plan(recipe(source={"use": "rows", "order": "sequential"}), store, ())
        assert [in_order.ticket(n, 0).task.source_id for n in range(10)] == [f"r{n % 9}" for n in range(10)]
    for epoch in range(3):
        assert {t.task.source_id for t in tickets[epoch * 9 : epoch * 9 + 9]} == {f"r{i}" for i in range(9)}
    assert {t.task.system for t in tickets} == {"a", "b"}
    assert len({t.task.persona.id for t in tickets if t.task.persona}) > 2


def test_a_given_number_asks_again_what_another_asked(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        store.put_rows(SourceRow(id=f"r{i}", fields={"i": i}) for i in range(9))
        plan = Plan(recipe(), store, ())
        plan.give([Assigned(20, 3, {"retry_of": 3}), Assigned(21, 20, {"retry_of": 20})])
        assert plan.ticket(21, 5).task.seed == plan.ticket(3, 0).task.seed
        assert plan.ticket(21, 5).task.parameters == {"retry_of": 20}
        assert plan.free_number(10) == 22
        assert plan.free_number(40) == 40


SAME: list[dict[str, Any]] = [
    {"samples": 99},
    {"limits": {"in_flight": 3, "max_tokens": 5}},
    {"exports": []},
    {"description": "x"},
    {"roles": {"teacher": {"model": "vllm/m", "base_url": "http://b:2/v1", "api_key_env": "K", "timeout_s": 9}}},
]
OTHER: list[dict[str, Any]] = [
    {"seed": 1},
    {"graph": "negotiate"},
    {"limits": {"window": 64}},
    {"roles": {"teacher": {"model": "vllm/other"}}},
    {"roles": {"teacher": {"model": "vllm/m", "temperature": 0.1}}},
    {"verifiers": ["schema"]},
    {"negotiation": {"max_rounds": 1}},
    {"novelty": {"threshold": 0.5}},
    {"review": {"policy": "all"}},
    {"source": {"use": "rows", "path": "x"}},
    {"parameters": {"a": 1}},
]


@pytest.mark.parametrize("change", SAME, ids=str)
def test_caps_addresses_and_exports_do_not_make_another_run(change: dict[str, Any]) -> None:
    assert identify(recipe(**change), Fingerprints()) == identify(recipe(), Fingerprints())


@pytest.mark.parametrize("change", OTHER, ids=str)
def test_content_makes_another_run(change: dict[str, Any]) -> None:
    assert identify(recipe(**change), Fingerprints()) != identify(recipe(), Fingerprints())


@pytest.mark.parametrize("field", ["source", "graph", "constitution", "critic", "personas"])
def test_what_a_recipe_only_names_counts_by_its_hash(field: str) -> None:
    changed: Any = {field: "x"}
    assert identify(recipe(), Fingerprints(**changed)) != identify(recipe(), Fingerprints())


def test_the_window_is_frozen_once() -> None:
    frozen = thaw(recipe(limits={"in_flight": 10}), None)
    assert frozen.limits.window == 40
    later = thaw(recipe(limits={"in_flight": 500}), frozen)
    assert (later.limits.window, later.limits.in_flight) == (40, 40)
    assert thaw(recipe(limits={"in_flight": 2}), frozen).limits.window == 40


class SameText:
    """A check that refuses equal texts."""

    name = "same-text"

    def __init__(self) -> None:
        self.held: dict[int, GateEntry] = {}

    async def open(self, entries: Any) -> None:
        self.held = {entry.task: entry for entry in entries}

    def _verdict(self, draft: Draft, entries: list[GateEntry]) -> NoveltyVerdict:
        same = any(entry.text == draft.text for entry in entries)
        return NoveltyVerdict(check=self.name, novel=not same, threshold=1, similarity=float(same))

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict:
        return self._verdict(draft, [entry for entry in self.held.values() if 0 < entry.log <= as_of])

    async def compare(self, draft: Draft, task: int) -> tuple[NoveltyVerdict, GateEntry]:
        return self._verdict(draft, list(self.held.values())), GateEntry(self.name, task, 0, draft.text, b"")

    async def hold(self, entry: GateEntry) -> None:
        self.held[entry.task] = entry

    async def release(self, task: int) -> None:
        self.held.pop(task, None)

    async def close(self) -> None:
        return None


def draft(text: str) -> Draft:
    return Draft(round=0, author="teacher", payload={"text": text})


async def test_of_equal_drafts_one_is_admitted_and_a_release_makes_room() -> None:
    gate = Gate([SameText()])
    first = await gate.reserve(1, draft("a"))
    assert first is not None and first.novel
    second = await gate.reserve(2, draft("a"))
    assert second is not None and not second.novel
    assert [entry.task for entry in gate.staged()[0]] == [1]
    await gate.release(1)
    assert gate.staged() == ((), True)
    third = await gate.reserve(3, draft("a"))
    assert third is not None and third.novel


async def test_a_probe_sees_only_what_was_settled_as_of_its_log_number() -> None:
    gate = Gate([SameText()])
    await gate.reserve(1, draft("a"))
    before = await gate.probe(draft("a"), 10)
    assert before is not None and before.novel
    await gate.settled(7)
    assert gate.staged() == ((), False)
    for as_of, novel in [(6, True), (7, False)]:
        found = await gate.probe(draft("a"), as_of)
        assert found is not None and found.novel is novel


async def test_without_checks_the_gate_says_nothing() -> None:
    assert await Gate([]).reserve(1, draft("a")) is None
    assert await Gate([]).probe(draft("a"), 1) is None
