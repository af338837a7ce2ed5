"""The decision: admission, people, and threads that wait for them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from support.negotiations import (
    FakeCritic,
    FakeGate,
    FakeVerifier,
    MemoryVerdicts,
    Unusable,
    draft_of,
    human_says,
    objects,
    seat,
    table,
    ticket,
)
from symposia.contracts import ConcludeContext, Conclusion
from symposia.errors import StoreError, UsageError
from symposia.records import Draft, HumanDecision, Negotiation, NegotiationSpec, ReviewSpec
from symposia_graphs import InstructionParams
from symposia_graphs.graph import NegotiationGraph
from symposia_graphs.instructions import instruction_method
from symposia_graphs.parking import ASIDE, FILE


def make(folder: Path | None = None) -> NegotiationGraph:
    return NegotiationGraph(instruction_method(InstructionParams()), folder)


GRAPH = make()


async def negotiated(response: str = "fine", number: int = 0, **more: Any) -> Negotiation:
    verifier = more.pop("verifier", FakeVerifier())
    critic = more.pop("critic", None)
    context = table([draft_of(response)], critic=critic, verifiers=[seat(verifier)], **more)
    return await GRAPH.negotiate(ticket(number), context)


def concluding(gate: FakeGate | None = None, **review: Any) -> ConcludeContext:
    verifier = FakeVerifier(finds=lambda d: "fail" if "wrong" in str(d.payload["response"]) else "pass")
    return ConcludeContext(
        settings=NegotiationSpec(),
        review=ReviewSpec(**review),
        run_seed=7,
        gate=gate,
        verifiers=[seat(verifier)],
        verdicts=MemoryVerdicts(),
    )


def fate(conclusion: Conclusion) -> tuple[str, str, str]:
    decision = conclusion.decision
    return decision.outcome, decision.stage, decision.cause


async def test_what_passes_is_accepted_and_keeps_its_place() -> None:
    gate = FakeGate()
    conclusion = await GRAPH.conclude(await negotiated(), concluding(gate))
    assert fate(conclusion) == ("accepted", "settle", "")
    assert conclusion.decision.evidence == ("verifier:facts",)
    assert gate.taken == {0: "fine"} and gate.calls == [("reserve", 0)]
    assert conclusion.negotiation.probes[-1].novel


async def test_what_fails_is_settled_without_the_gate() -> None:
    gate = FakeGate()
    negotiation = await negotiated(verifier=FakeVerifier(finds=lambda draft: "fail"), max_rounds=0)
    conclusion = await GRAPH.conclude(negotiation, concluding(gate))
    assert fate(conclusion) == ("rejected", "verify", "facts:was_fail")
    assert not gate.calls and not conclusion.decision.evidence


async def test_a_near_duplicate_is_rejected_at_admission() -> None:
    gate = FakeGate(taken={3: "fine"})
    conclusion = await GRAPH.conclude(await negotiated(number=5), concluding(gate, policy="all"))
    assert fate(conclusion) == ("rejected", "admit", "near_duplicate")
    assert "task-3" in conclusion.decision.detail
    assert conclusion.negotiation.probes[-1].novel is False
    assert gate.taken == {3: "fine"}


async def test_of_twins_the_first_is_admitted() -> None:
    gate = FakeGate()
    fates = [fate(await GRAPH.conclude(await negotiated(number=n), concluding(gate))) for n in range(3)]
    assert [outcome for outcome, _, _ in fates] == ["accepted", "rejected", "rejected"]


async def test_undecided_and_seen_by_nobody_is_rejected_and_frees_its_place() -> None:
    gate = FakeGate()
    negotiation = await negotiated(verifier=FakeVerifier(evidence="form"))
    conclusion = await GRAPH.conclude(negotiation, concluding(gate))
    assert fate(conclusion) == ("rejected", "verify", "undecided:no_content_evidence")
    assert not gate.taken and gate.calls == [("reserve", 0), ("release", 0)]


async def test_failed_and_unusable_are_told_apart() -> None:
    from symposia.errors import RequestError

    context = table([RequestError("too long", "context_overflow")])
    failed = await GRAPH.conclude(await GRAPH.negotiate(ticket(), context), concluding(FakeGate()))
    assert fate(failed) == ("failed", "propose", "context_overflow")
    unusable = await GRAPH.negotiate(ticket(), table([Unusable("truncated")]))
    assert fate(await GRAPH.conclude(unusable, concluding(FakeGate()))) == ("rejected", "propose", "truncated")


async def test_a_duplicate_from_the_screen_is_rejected_there() -> None:
    context = table([draft_of("taken")], gate=FakeGate(taken={1: "taken"}))
    conclusion = await GRAPH.conclude(await GRAPH.negotiate(ticket(2), context), concluding(FakeGate()))
    assert fate(conclusion) == ("rejected", "screen", "near_duplicate")


async def test_an_open_objection_is_rejected() -> None:
    critic = FakeCritic(finds=lambda draft: [objects("true")])
    conclusion = await GRAPH.conclude(await negotiated(critic=critic, max_rounds=0), concluding())
    assert fate(conclusion) == ("rejected", "criticise", "objection:true")


async def test_a_picked_sample_is_parked_with_its_place_held(tmp_path: Path) -> None:
    graph, gate = make(tmp_path), FakeGate()
    conclusion = await graph.conclude(await negotiated(), concluding(gate, policy="all"))
    assert fate(conclusion) == ("parked", "review", "")
    assert (conclusion.decision.policy, conclusion.decision.selection_probability) == ("all", 1.0)
    assert gate.taken == {0: "fine"}
    assert (tmp_path / FILE).is_file()
    await graph.close()
    await graph.close()


async def test_an_undecided_sample_is_parked_with_its_reason() -> None:
    negotiation = await negotiated(verifier=FakeVerifier(evidence="form"))
    conclusion = await make().conclude(negotiation, concluding(policy="uncertain"))
    assert fate(conclusion) == ("parked", "review", "no_content_evidence")
    assert conclusion.decision.policy == "undecided"


async def test_what_no_policy_picks_leaves_no_thread(tmp_path: Path) -> None:
    graph = make(tmp_path)
    conclusion = await graph.conclude(await negotiated(), concluding(policy="share", share=0.0))
    assert conclusion.decision.outcome == "accepted" and not (tmp_path / FILE).exists()


async def test_a_rejected_twin_leaves_no_thread(tmp_path: Path) -> None:
    graph = make(tmp_path)
    await graph.conclude(await negotiated(number=5), concluding(FakeGate(taken={3: "fine"}), policy="all"))
    await graph.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("select count(*) from checkpoints").fetchone() == (0,)
    connection.close()


async def test_a_share_that_does_not_block_is_accepted_in_place(tmp_path: Path) -> None:
    graph = make(tmp_path)
    context = concluding(policy="share", share=1.0, blocking=False)
    conclusion = await graph.conclude(await negotiated(), context)
    assert fate(conclusion) == ("accepted", "settle", "")
    assert (conclusion.decision.policy, conclusion.decision.selection_probability) == ("share", 1.0)
    assert not (tmp_path / FILE).exists()


ACTIONS: dict[str, tuple[tuple[str, str, str], tuple[str, ...], dict[int, str]]] = {
    "accept": (("accepted", "review", ""), ("verifier:facts", "human:ann"), {0: "fine"}),
    "reject": (("rejected", "review", "off_topic"), (), {}),
    "send_back": (("rejected", "review", "sent_back"), (), {}),
    "edit": (("accepted", "review", ""), ("verifier:facts", "human:ann"), {0: "better"}),
}


def deciding(action: str, draft: Draft) -> HumanDecision:
    more: dict[str, Any] = {"note": "a note"}
    if action == "edit":
        more["edit"] = draft_of("better")
    if action == "reject":
        more["reasons"] = ("off_topic",)
    return human_says(action, draft, **more)


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize("damage", ["none", "other instance", "deleted", "damaged", "memory", "other format"])
async def test_a_person_decides(tmp_path: Path, action: str, damage: str) -> None:
    """Whatever became of the checkpoint, the decision is the same."""
    expected, evidence, taken = ACTIONS[action]
    graph, gate = make(None if damage == "memory" else tmp_path), FakeGate()
    context = concluding(gate, policy="all")
    parked = await graph.conclude(await negotiated(), context)
    assert parked.decision.outcome == "parked" and parked.negotiation.best is not None
    if damage not in ("none", "memory"):
        await graph.close()
        break_checkpoint(tmp_path / FILE, damage)
        graph = make(tmp_path)
    human = deciding(action, parked.negotiation.best)
    conclusion = await graph.resume(parked.negotiation, human, context)
    assert fate(conclusion) == expected
    assert conclusion.decision.evidence == evidence
    assert conclusion.decision.review == human
    assert (conclusion.decision.policy, conclusion.decision.selection_probability) == ("all", 1.0)
    assert gate.taken == taken
    assert gate.calls.count(("reserve", 0)) == (2 if action == "edit" else 1), "a rebuilt thread reserves nothing"
    await graph.close()
    if damage == "damaged":
        assert (tmp_path / (FILE + ASIDE)).is_file(), "what can't be read is put aside, not thrown away"


def break_checkpoint(file: Path, damage: str) -> None:
    if damage == "deleted":
        file.unlink()
    elif damage == "damaged":
        file.write_bytes(b"this is no database" * 100)
    elif damage == "other format":
        with sqlite3.connect(file) as connection:
            connection.execute("update checkpoints set checkpoint = x'c1c1'")
        connection.close()


async def test_a_thread_outlives_its_event_loop(tmp_path: Path) -> None:
    """As after a restart: another loop, another graph, the same folder."""

    def park() -> Conclusion:
        async def go() -> Conclusion:
            graph = make(tmp_path)
            try:
                return await graph.conclude(await negotiated(), concluding(policy="all"))
            finally:
                await graph.close()

        return asyncio.run(go())

    parked = await asyncio.to_thread(park)
    graph = make(tmp_path)
    best = parked.negotiation.best
    assert best is not None
    assert await graph._thread(parked.negotiation, human_says("accept", best)) is not None
    conclusion = await graph.resume(parked.negotiation, human_says("accept", best), concluding(policy="all"))
    assert conclusion.decision.outcome == "accepted"
    await graph.close()


async def test_an_edit_is_verified_and_gated_anew() -> None:
    gate = FakeGate()
    graph, context = make(), concluding(gate, policy="all")
    parked = await graph.conclude(await negotiated(), context)
    best = parked.negotiation.best
    assert best is not None
    conclusion = await graph.resume(parked.negotiation, human_says("edit", best, edit=draft_of("better")), context)
    assert gate.calls == [("reserve", 0), ("release", 0), ("reserve", 0)]
    edited = conclusion.negotiation.best
    assert edited is not None
    assert (edited.author, edited.round, edited.payload["response"]) == ("human:ann", 1, "better")
    assert [(v.verifier, v.status) for v in conclusion.negotiation.verdicts_on(1)] == [("facts", "pass")]
    assert conclusion.decision.score is None, "the judges scored another draft"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("wrong", ("rejected", "review", "edit_failed:facts:was_fail")),
        ("taken", ("rejected", "admit", "near_duplicate")),
    ],
)
async def test_an_edit_can_fail(edit: str, expected: tuple[str, str, str]) -> None:
    gate = FakeGate(taken={1: "taken"})
    graph, context = make(), concluding(gate, policy="all")
    parked = await graph.conclude(await negotiated(), context)
    best = parked.negotiation.best
    assert best is not None
    conclusion = await graph.resume(parked.negotiation, human_says("edit", best, edit=draft_of(edit)), context)
    assert fate(conclusion) == expected
    assert gate.taken == {1: "taken"}


async def test_a_decision_that_cannot_be_applied_leaves_the_sample_parked() -> None:
    graph, context = make(), concluding(FakeGate(), policy="all")
    parked = await graph.conclude(await negotiated(), context)
    best = parked.negotiation.best
    assert best is not None
    other = Draft(round=0, author="teacher", payload=draft_of("other"))
    for human, problem in [
        (human_says("accept", other), "about another draft"),
        (human_says("accept", best, task=3), "task 3"),
        (human_says("edit", best), "no payload came with it"),
        (human_says("edit", best, edit={"instruction": "only this one"}), "no draft of graph 'negotiate'"),
    ]:
        with pytest.raises(UsageError, match=problem):
            await graph.resume(parked.negotiation, human, context)
    conclusion = await graph.resume(parked.negotiation, human_says("accept", best), context)
    assert conclusion.decision.outcome == "accepted"


async def test_a_thread_is_decided_once(tmp_path: Path) -> None:
    """The same decision again is the same conclusion (a crash before it was stored); another one is refused."""
    gate = FakeGate()
    graph, context = make(tmp_path), concluding(gate, policy="all")
    parked = await graph.conclude(await negotiated(), context)
    best = parked.negotiation.best
    assert best is not None
    first = await graph.resume(parked.negotiation, human_says("reject", best), context)
    again = await graph.resume(parked.negotiation, human_says("reject", best), context)
    assert again == first
    with pytest.raises(UsageError, match="was decided before by ann: reject"):
        await graph.resume(parked.negotiation, human_says("accept", best), context)
    await graph.close()


async def test_concluding_again_after_a_crash_parks_again(tmp_path: Path) -> None:
    graph, negotiation = make(tmp_path), await negotiated()
    for _ in range(2):
        parked = await graph.conclude(negotiation, concluding(FakeGate(), policy="all"))
        assert parked.decision.outcome == "parked"
    assert parked.negotiation.best is not None
    human = human_says("accept", parked.negotiation.best)
    conclusion = await graph.resume(parked.negotiation, human, concluding(FakeGate(), policy="all"))
    assert conclusion.decision.outcome == "accepted"
    await graph.close()


async def test_a_step_that_breaks_after_the_decision_can_be_taken_again(tmp_path: Path) -> None:
    gate = FakeGate()
    graph, context = make(tmp_path), concluding(gate, policy="all")
    parked = await graph.conclude(await negotiated(), context)
    best = parked.negotiation.best
    assert best is not None

    class Broken(FakeGate):
        async def release(self, task: int) -> None:
            raise StoreError("disk full")

    human = human_says("reject", best)
    with pytest.raises(StoreError, match="disk full"):
        await graph.resume(parked.negotiation, human, concluding(Broken(), policy="all"))
    conclusion = await graph.resume(parked.negotiation, human, context)
    assert fate(conclusion) == ("rejected", "review", "human")
    assert not gate.taken
    await graph.close()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(StoreError, match="gone"):
        await make(folder).conclude(await negotiated(), concluding(policy="all"))


async def test_only_plain_json_is_checkpointed(tmp_path: Path) -> None:
    graph = make(tmp_path)
    await graph.conclude(await negotiated(), concluding(policy="all"))
    app, config = await graph._parkable(0)
    values = (await app.aget_state(config)).values

    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(type(key) is str and plain(item) for key, item in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or type(value) in (str, int, float, bool)

    assert values and plain(values)
    await graph.close()
