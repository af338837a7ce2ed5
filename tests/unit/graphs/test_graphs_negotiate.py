"""The argument: every route and every ending, with roles that say what they are told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.negotiations import (
    TOKENS,
    FakeCritic,
    FakeGate,
    FakeJudge,
    FakeRole,
    FakeVerifier,
    MemoryVerdicts,
    Unusable,
    draft_of,
    judge_seat,
    objects,
    revision,
    seat,
    table,
    ticket,
)
from symposia.contracts import Ask, NegotiateContext
from symposia.errors import CapExceededError, EndpointError, PluginError, RequestError
from symposia.records import Draft, Negotiation, Objection
from symposia_graphs import InstructionParams
from symposia_graphs.graph import NegotiationGraph
from symposia_graphs.instructions import instruction_method


@pytest.fixture(scope="module")
def graph() -> NegotiationGraph:
    return NegotiationGraph(instruction_method(InstructionParams()))


def asked(context: NegotiateContext, role: str) -> list[Ask]:
    model = context.roles[role]
    assert isinstance(model, FakeRole)
    return model.asks


def objecting(**found: list[Objection]) -> FakeCritic:
    """A critic that objects to responses by their first word."""
    return FakeCritic(finds=lambda draft: found.get(str(draft.payload["response"]).split()[0], []))


def failing(*words: str) -> Any:
    """A verifier's finding: responses with these first words fail."""
    return lambda draft: "fail" if str(draft.payload["response"]).split()[0] in words else "pass"


def kinds(negotiation: Negotiation) -> list[str]:
    return [turn.kind for turn in negotiation.turns]


async def test_a_draft_without_faults_is_judged_and_settled(graph: NegotiationGraph) -> None:
    judge = FakeJudge()
    context = table([draft_of("fine")], critic=FakeCritic(), judges=[judge_seat("one", judge)])
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled"
    assert kinds(negotiation) == ["propose", "criticise", "judge"]
    assert negotiation.best_round == 0
    assert [(j.judge, j.score, j.independent) for j in negotiation.judgments] == [("one", 0.9, True)]
    assert negotiation.graph == "negotiate"


async def test_a_fixed_objection_leads_to_a_better_draft(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true"), objects("short", "minor")])
    context = table([draft_of("bad")], [revision("good", r0_0="fix", r0_1="fix")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled"
    assert kinds(negotiation) == ["propose", "criticise", "revise", "criticise"]
    assert [d.round for d in negotiation.drafts] == [0, 1]
    assert negotiation.best_round == 1
    assert [(o.id, o.status) for o in negotiation.objections] == [("r0.0", "fixed"), ("r0.1", "fixed")]
    assert [(r.objection, r.action, r.round) for r in negotiation.rebuttals] == [
        ("r0.0", "fix", 1),
        ("r0.1", "fix", 1),
    ]
    assert len(negotiation.open_objections(0)) == 2 and not negotiation.open_objections(1)


async def test_the_reviser_reads_objections_and_findings_but_nothing_private(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true", quote="bad")])
    verifier = FakeVerifier("facts", failing("bad"))
    context = table([draft_of("bad")], [revision("good", r0_0="fix")], critic, verifiers=[seat(verifier)])
    negotiation = await graph.negotiate(ticket(), context)
    prompt = asked(context, "reviser")[0].messages[-1]["content"]
    assert "r0.0" in prompt and "it is not true" in prompt and "facts says fail" in prompt
    assert "4711" not in prompt
    assert all(not verdict.evidence.private for _, verdicts in critic.seen for verdict in verdicts)
    assert negotiation.verdicts[0].evidence.private == {"pid": 4711}, "what is stored keeps it"


async def test_contested_and_withdrawn_settles_the_same_draft(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind")])
    critic.rules = lambda objection, rebuttal: "withdrawn"
    context = table([draft_of("odd")], [revision("changed", r0_0="contest")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled"
    assert kinds(negotiation) == ["propose", "criticise", "revise", "rule"]
    assert len(negotiation.drafts) == 1, "who contests everything keeps the draft"
    assert negotiation.objections[0].status == "withdrawn"
    assert [(r.objection, r.outcome, r.round) for r in negotiation.rulings] == [("r0.0", "withdrawn", 0)]


async def test_contested_and_upheld_brings_no_gain(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind")])
    context = table([draft_of("odd")], [revision("odd", r0_0="contest")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "no_gain"
    assert negotiation.objections[0].status == "open"
    assert negotiation.rulings[0].outcome == "upheld"


async def test_what_the_critic_does_not_answer_is_upheld(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind")])
    critic.rules = lambda objection, rebuttal: None
    context = table([draft_of("odd")], [revision("odd", r0_0="contest")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.rulings[0].outcome, negotiation.rulings[0].reason) == ("upheld", "no answer")


async def test_partly_withdrawn_is_a_gain_and_the_upheld_one_must_be_fixed(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind"), objects("true")])
    critic.rules = lambda objection, rebuttal: "withdrawn" if objection.principle == "kind" else "upheld"
    context = table(
        [draft_of("odd")],
        [revision("odd", r0_0="contest", r0_1="contest"), revision("fine", r0_1="fix")],
        critic,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled" and negotiation.best_round == 1
    assert [o.status for o in negotiation.objections] == ["withdrawn", "fixed"]
    second = asked(context, "reviser")[1]
    assert second.schema is not None
    actions = second.schema.body["properties"]["answers"]["properties"]["r0.1"]["properties"]["action"]  # type: ignore[call-overload,index]
    assert actions == {"type": "string", "enum": ["fix"]}
    with pytest.raises(ValueError, match="can't be contested"):
        second.schema.read(revision("x y", r0_1="contest"))


async def test_fix_and_contest_in_one_round_rules_on_the_new_draft(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind"), objects("true")])
    critic.rules = lambda objection, rebuttal: "withdrawn"
    context = table([draft_of("odd")], [revision("fine", r0_0="contest", r0_1="fix")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert kinds(negotiation) == ["propose", "criticise", "revise", "rule", "criticise"]
    assert negotiation.ending == "settled" and negotiation.best_round == 1


async def test_an_upheld_objection_is_not_counted_twice(graph: NegotiationGraph) -> None:
    critic = objecting(odd=[objects("kind"), objects("true")], even=[objects("kind")])
    context = table([draft_of("odd")], [revision("even", r0_0="contest", r0_1="fix")], critic, max_rounds=1)
    negotiation = await graph.negotiate(ticket(), context)
    assert [o.id for o in negotiation.objections] == ["r0.0", "r0.1"]
    assert len(negotiation.critiques[1].objections) == 1
    assert negotiation.severity(1) == 3 and negotiation.best_round == 1


async def test_a_failed_verdict_is_mended_without_being_contested(graph: NegotiationGraph) -> None:
    verifier = FakeVerifier("facts", failing("wrong"))
    context = table([draft_of("wrong")], [draft_of("right")], FakeCritic(), verifiers=[seat(verifier)])
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled" and negotiation.best_round == 1
    ask = asked(context, "reviser")[0]
    assert ask.smaller is None
    assert ask.schema is not None and set(ask.schema.body["properties"]) == {"instruction", "response"}  # type: ignore[arg-type]


async def test_a_failed_cheap_check_costs_neither_critic_nor_costly_verifier(graph: NegotiationGraph) -> None:
    cheap, costly = FakeVerifier("length", failing("long"), cost="cheap"), FakeVerifier("facts")
    critic, gate = FakeCritic(), FakeGate()
    context = table(
        [draft_of("long")], [draft_of("brief")], critic, verifiers=[seat(costly), seat(cheap)], gate=gate
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled"
    assert [d.payload["response"] for d in costly.calls] == ["brief"]
    assert [d.payload["response"] for d, _ in critic.seen] == ["brief"]
    assert gate.probes == 1
    assert [(v.verifier, v.round, v.status) for v in negotiation.verdicts] == [
        ("length", 0, "fail"),
        ("length", 1, "pass"),
        ("facts", 1, "pass"),
    ]


async def test_an_advisory_failure_stops_nothing(graph: NegotiationGraph) -> None:
    verifier = FakeVerifier("style", lambda draft: "fail", cost="cheap")
    context = table([draft_of("fine")], verifiers=[seat(verifier, required=False)])
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled" and kinds(negotiation) == ["propose"]
    assert negotiation.verdicts[0].required is False


async def test_max_rounds_keeps_the_best_draft(graph: NegotiationGraph) -> None:
    critic = objecting(
        one=[objects("true", "critical"), objects("kind")], two=[objects("true")], three=[objects("short", "minor")]
    )
    context = table(
        [draft_of("one")],
        [revision("two", r0_0="fix", r0_1="fix"), revision("three", r1_0="fix")],
        critic,
        max_rounds=2,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "max_rounds"
    assert negotiation.best_round == 2 and negotiation.best == negotiation.drafts[2]


async def test_without_rounds_nobody_revises(graph: NegotiationGraph) -> None:
    context = table([draft_of("bad")], critic=objecting(bad=[objects("true")]), max_rounds=0)
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "max_rounds" and kinds(negotiation) == ["propose", "criticise"]


async def test_a_worse_revision_is_dropped_for_the_earlier_draft(graph: NegotiationGraph) -> None:
    critic = objecting(mild=[objects("short", "minor")], harsh=[objects("true", "critical")])
    judge = FakeJudge()
    context = table([draft_of("mild")], [revision("harsh", r0_0="fix")], critic, judges=[judge_seat("one", judge)])
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "no_gain"
    assert negotiation.best_round == 0
    assert [d.payload["response"] for d, _ in judge.seen] == ["mild"]


async def test_an_equal_revision_is_no_gain(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true")], worse=[objects("kind")])
    context = table([draft_of("bad")], [revision("worse", r0_0="fix")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, negotiation.best_round, len(negotiation.drafts)) == ("no_gain", 0, 2)


async def test_an_unchanged_revision_is_no_draft(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true")])
    context = table([draft_of("bad")], [revision("bad", r0_0="fix")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, len(negotiation.drafts), len(critic.seen)) == ("no_gain", 1, 1)
    assert negotiation.objections[0].status == "open", "a fix that changes nothing fixes nothing"


async def test_the_budget_ends_the_argument_and_judges_are_still_heard(graph: NegotiationGraph) -> None:
    critic = objecting(one=[objects("true", "minor"), objects("kind", "minor")], two=[objects("kind", "minor")])
    context = table(
        [draft_of("one")],
        [revision("two", r0_0="fix", r0_1="fix")],
        critic,
        judges=[judge_seat("one", FakeJudge())],
        max_tokens=4 * TOKENS,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "budget" and negotiation.best_round == 1
    assert kinds(negotiation) == ["propose", "criticise", "revise", "criticise", "judge"]


async def test_the_first_round_may_spend_the_budget(graph: NegotiationGraph) -> None:
    context = table([draft_of("bad")], critic=objecting(bad=[objects("true")]), max_tokens=1)
    assert (await graph.negotiate(ticket(), context)).ending == "budget"


async def test_a_near_duplicate_goes_back_with_its_neighbours_named(graph: NegotiationGraph) -> None:
    gate = FakeGate(taken={3: "taken already", 4: "taken too"})
    context = table([draft_of("taken already"), draft_of("taken too"), draft_of("new")], gate=gate, retries=2)
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled" and negotiation.best_round == 2
    assert [(p.round, p.novel) for p in negotiation.probes] == [(0, False), (1, False), (2, True)]
    first, second, third = (ask.messages[-1]["content"] for ask in asked(context, "teacher"))
    assert "taken" not in first
    assert "taken already" in second and "taken too" not in second
    assert "taken already" in third and "taken too" in third
    assert [ask.round for ask in asked(context, "teacher")] == [0, 1, 2]


async def test_a_teacher_that_repeats_itself_ends_as_near_duplicate(graph: NegotiationGraph) -> None:
    judge = FakeJudge()
    context = table(
        [draft_of("taken")] * 2,
        gate=FakeGate(taken={3: "taken"}),
        retries=1,
        judges=[judge_seat("one", judge)],
        critic=FakeCritic(),
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "near_duplicate" and negotiation.best_round == 1
    assert kinds(negotiation) == ["propose", "propose"] and not judge.seen


async def test_a_revision_that_became_a_duplicate_starts_a_new_argument(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true", "minor")])
    context = table(
        [draft_of("bad"), draft_of("fresh")],
        [revision("taken", r0_0="fix")],
        critic,
        gate=FakeGate(taken={3: "taken"}),
        retries=1,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled" and negotiation.best_round == 2
    assert [d.author for d in negotiation.drafts] == ["teacher", "reviser", "teacher"]


async def test_objections_end_with_the_draft_they_were_about(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true"), objects("kind")])
    context = table(
        [draft_of("bad"), draft_of("fresh")],
        [revision("taken", r0_0="fix", r0_1="contest")],
        critic,
        gate=FakeGate(taken={3: "taken"}),
        retries=1,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "settled"
    assert not negotiation.open_objections(2)
    assert [o.principle for o in negotiation.open_objections(1)] == ["kind"]


async def test_a_duplicate_without_retries_loses_to_an_earlier_draft(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("true", "minor")])
    context = table([draft_of("bad")], [revision("taken", r0_0="fix")], critic, gate=FakeGate(taken={3: "taken"}))
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, negotiation.best_round) == ("no_gain", 0)


async def test_an_unusable_teacher_is_unusable(graph: NegotiationGraph) -> None:
    negotiation = await graph.negotiate(ticket(), table([Unusable("truncated")], critic=FakeCritic()))
    assert negotiation.ending == "unusable" and negotiation.best_round is None
    assert negotiation.failure is not None
    assert (negotiation.failure.stage, negotiation.failure.cause) == ("propose", "truncated")
    assert kinds(negotiation) == ["propose"], "what was said is kept"


async def test_an_unusable_reviser_is_no_gain(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("short", "minor")])
    context = table([draft_of("bad")], [Unusable()], critic, judges=[judge_seat("one", FakeJudge())])
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, negotiation.best_round) == ("no_gain", 0)
    assert kinds(negotiation) == ["propose", "criticise", "revise", "judge"]


async def test_a_teacher_that_fails_after_a_duplicate_leaves_the_earlier_draft(graph: NegotiationGraph) -> None:
    critic = objecting(bad=[objects("short", "minor")])
    context = table(
        [draft_of("bad"), Unusable()],
        [revision("taken", r0_0="fix")],
        critic,
        gate=FakeGate(taken={3: "taken"}),
        retries=1,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, negotiation.best_round, negotiation.failure) == ("no_gain", 0, None)


async def test_an_unread_critique_is_not_better_than_a_mild_one(graph: NegotiationGraph) -> None:
    critic = FakeCritic(
        finds=lambda d: [objects("short", "minor")] if d.payload["response"] == "mild" else "unparsable"
    )
    context = table([draft_of("mild")], [revision("unknown", r0_0="fix")], critic)
    negotiation = await graph.negotiate(ticket(), context)
    assert (negotiation.ending, negotiation.best_round) == ("no_gain", 0)
    assert negotiation.critiques[1].unscored == "unparsable"


@pytest.mark.parametrize("stage", ["propose", "criticise", "revise", "judge"])
async def test_a_request_that_cannot_be_answered_fails_the_task(graph: NegotiationGraph, stage: str) -> None:
    def broken(draft: Draft) -> Any:
        raise RequestError("too long", "context_overflow")

    error = RequestError("too long", "context_overflow")
    critic = objecting(bad=[objects("true", "minor")])
    if stage == "criticise":
        critic.finds = broken
    context = table(
        [error if stage == "propose" else draft_of("bad" if stage == "revise" else "fine")],
        [error],
        critic,
        judges=[judge_seat("one", FakeJudge(broken)), judge_seat("two", FakeJudge())] if stage == "judge" else [],
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "failed" and negotiation.failure is not None
    assert (negotiation.failure.stage, negotiation.failure.cause) == (stage, "context_overflow")
    assert not negotiation.judgments


@pytest.mark.parametrize("error", [EndpointError("wrong key"), CapExceededError("no money left")])
async def test_what_stops_the_run_leaves_the_task_open(graph: NegotiationGraph, error: Exception) -> None:
    request = RequestError("too long", "context_overflow")
    judges = [judge_seat("one", FakeJudge(lambda d: request)), judge_seat("two", FakeJudge(lambda d: error))]
    with pytest.raises(type(error)):
        await graph.negotiate(ticket(), table([draft_of("fine")], judges=judges))
    with pytest.raises(type(error)):
        await graph.negotiate(ticket(), table([error]))


async def test_a_broken_critic_is_named(graph: NegotiationGraph) -> None:
    def broken(draft: Draft) -> Any:
        raise KeyError("principles")

    with pytest.raises(PluginError, match="the critic broke: KeyError"):
        await graph.negotiate(ticket(), table([draft_of("fine")], critic=FakeCritic(broken)))


async def test_a_judge_without_a_score_is_unscored(graph: NegotiationGraph) -> None:
    seats = [judge_seat("one", FakeJudge(lambda d: Unusable("empty"))), judge_seat("two", FakeJudge())]
    negotiation = await graph.negotiate(ticket(), table([draft_of("fine")], judges=seats))
    assert [(j.judge, j.score, j.unscored) for j in negotiation.judgments] == [
        ("one", None, "empty"),
        ("two", 0.9, None),
    ]
    assert kinds(negotiation) == ["propose", "judge", "judge"]


async def test_judges_are_not_paid_for_a_draft_that_is_sure_to_be_rejected(graph: NegotiationGraph) -> None:
    judge = FakeJudge()
    context = table(
        [draft_of("bad")],
        critic=objecting(bad=[objects("true")]),
        judges=[judge_seat("one", judge)],
        max_rounds=0,
    )
    await graph.negotiate(ticket(), context)
    context = table(
        [draft_of("wrong")],
        verifiers=[seat(FakeVerifier(finds=failing("wrong")))],
        judges=[judge_seat("one", judge)],
        max_rounds=0,
    )
    await graph.negotiate(ticket(), context)
    assert not judge.seen


async def test_a_verifier_that_breaks_is_asked_again_and_then_an_error(graph: NegotiationGraph) -> None:
    flaky = FakeVerifier("flaky")
    flaky.finds = lambda draft: "pass" if len(flaky.calls) > 1 else OSError("/tmp/x")
    dead = FakeVerifier("dead", lambda draft: OSError("/tmp/x"))
    store = MemoryVerdicts()
    context = table([draft_of("fine")], verifiers=[seat(flaky), seat(dead)], verdicts=store)
    negotiation = await graph.negotiate(ticket(), context)
    assert [(v.verifier, v.status) for v in negotiation.verdicts] == [("flaky", "pass"), ("dead", "error")]
    assert (len(flaky.calls), len(dead.calls)) == (2, 2)
    assert [v.verifier for v in store.stored.values()] == ["flaky"], "errors are never stored"
    broken = negotiation.verdicts[1]
    assert "/tmp/x" not in broken.evidence.summary and "/tmp/x" in str(broken.evidence.private)
    assert negotiation.ending == "settled", "an error is nobody's fault that a reviser could mend"


async def test_verdicts_are_reused_by_input(graph: NegotiationGraph) -> None:
    verifier, store = FakeVerifier(), MemoryVerdicts()
    for seed in ({"passage": "a"}, {"passage": "a"}, {"passage": "b"}):
        context = table([draft_of("fine")], verifiers=[seat(verifier)], verdicts=store)
        negotiation = await graph.negotiate(ticket(len(store.stored), seed=seed), context)
        assert negotiation.verdicts[0].status == "pass" and negotiation.verdicts[0].input_hash
    assert len(verifier.calls) == 2
    verifier.version = "2"
    await graph.negotiate(
        ticket(seed={"passage": "a"}), table([draft_of("fine")], verifiers=[seat(verifier)], verdicts=store)
    )
    assert len(verifier.calls) == 3


async def test_a_task_that_was_sent_back_starts_from_what_the_person_saw(graph: NegotiationGraph) -> None:
    back = {"task": 4, "reviewer": "ann", "objection": "too vague", "reasons": [], "payload": draft_of("vague")}
    critic = FakeCritic()
    context = table([], [revision("precise", h0_0="fix")], critic)
    negotiation = await graph.negotiate(ticket(9, parameters={"sent_back": back}), context)
    assert negotiation.ending == "settled" and negotiation.best_round == 1
    assert [d.author for d in negotiation.drafts] == ["task:4", "reviser"]
    objection = negotiation.objections[0]
    assert (objection.id, objection.raised_by, objection.reason) == ("h0.0", "human:ann", "too vague")
    ask = asked(context, "reviser")[0]
    assert "too vague" in ask.messages[-1]["content"] and ask.schema is not None
    with pytest.raises(ValueError, match="can't be contested"):
        ask.schema.read(revision("vague as before", h0_0="contest"))


@pytest.mark.parametrize("said", [Unusable(), revision("vague", h0_0="fix")])
async def test_a_sent_back_task_that_is_not_mended_keeps_the_objection(graph: NegotiationGraph, said: Any) -> None:
    back = {"task": 4, "objection": "too vague", "payload": draft_of("vague")}
    context = table([], lambda ask: said, FakeCritic())
    negotiation = await graph.negotiate(ticket(9, parameters={"sent_back": back}), context)
    assert negotiation.ending == "no_gain" and negotiation.best_round == 0
    assert [o.id for o in negotiation.open_objections(0)] == ["h0.0"]


async def test_the_recursion_limit_holds_twenty_rounds_and_ten_retries(graph: NegotiationGraph) -> None:
    """Every round is contested in part and gains a little; every retry is used first."""

    def finds(draft: Draft) -> list[Objection]:
        left = 2 * (21 - int(str(draft.payload["response"]).split()[1]))
        return [objects(f"p{number}") for number in range(left)]

    def revise(ask: Ask) -> Any:
        assert ask.schema is not None
        answers: Any = ask.schema.body["properties"]
        ids = list(answers["answers"]["properties"])
        number = len(asked(context, "reviser"))
        given = {id_: "fix" for id_ in ids}
        fields = answers["answers"]["properties"]
        contestable = [i for i in ids if "contest" in fields[i]["properties"]["action"]["enum"]]
        given[contestable[-1]] = "contest"
        return {
            "answers": {id_: {"action": action, "argument": ""} for id_, action in given.items()},
            "draft": draft_of(f"round {number}"),
        }

    context = table(
        [draft_of("taken")] * 10 + [draft_of("round 0")],
        revise,
        FakeCritic(finds),
        gate=FakeGate(taken={3: "taken"}),
        retries=10,
        verifiers=[seat(FakeVerifier("cheap", cost="cheap")), seat(FakeVerifier("costly"))],
        judges=[judge_seat("one", FakeJudge())],
        max_rounds=20,
    )
    negotiation = await graph.negotiate(ticket(), context)
    assert negotiation.ending == "max_rounds"
    assert kinds(negotiation).count("revise") == 20 and kinds(negotiation).count("rule") == 20
    assert kinds(negotiation).count("propose") == 11


async def test_two_hundred_negotiations_do_not_mix(graph: NegotiationGraph) -> None:
    together = 0
    most = 0

    async def one(number: int) -> Negotiation:
        nonlocal together, most
        together += 1
        most = max(most, together)
        critic = objecting(bad=[objects("true")])
        context = table([draft_of(f"bad {number}")], [revision(f"good {number}", r0_0="fix")], critic)
        for role in context.roles.values():
            assert isinstance(role, FakeRole)
            role.wait = lambda ask: (number * 7 % 5) / 1000
        negotiation = await graph.negotiate(ticket(number), context)
        together -= 1
        return negotiation

    done = await asyncio.gather(*(one(number) for number in range(200)))
    assert most == 200
    for number, negotiation in enumerate(done):
        assert negotiation.number == number
        assert [d.payload["response"] for d in negotiation.drafts] == [f"bad {number}", f"good {number}"]


async def test_cancelling_leaves_nothing_behind(graph: NegotiationGraph) -> None:
    ended: list[str] = []

    class Slow(FakeVerifier):
        async def verify(self, draft: Draft, task: Any) -> Any:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(self.name)

    started = asyncio.Event()
    before = asyncio.all_tasks()
    context = table([draft_of("fine")], verifiers=[seat(Slow("a")), seat(Slow("b"))])
    running = asyncio.create_task(graph.negotiate(ticket(), context))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["a", "b"]
    assert asyncio.all_tasks() == before


async def test_listeners_hear_every_turn_once_and_in_order(graph: NegotiationGraph) -> None:
    heard: list[tuple[int, str, bool]] = []
    critic = objecting(bad=[objects("true")])
    critic.rules = lambda objection, rebuttal: "withdrawn"
    context = table(
        [draft_of("bad")],
        [revision("bad", r0_0="contest")],
        critic,
        judges=[judge_seat("one", FakeJudge())],
        on_turn=lambda task, turn, draft: heard.append((task, turn.kind, draft is not None)),
    )
    negotiation = await graph.negotiate(ticket(5), context)
    assert [kind for _, kind, _ in heard] == kinds(negotiation)
    assert heard[0] == (5, "propose", True) and heard[2] == (5, "revise", False)


async def test_the_same_answers_give_the_same_record(graph: NegotiationGraph) -> None:
    def run() -> Any:
        critic = objecting(bad=[objects("true"), objects("kind")])
        return table(
            [draft_of("bad")],
            [revision("fine", r0_0="fix", r0_1="contest")],
            critic,
            verifiers=[seat(FakeVerifier(name)) for name in "abc"],
            judges=[judge_seat(name, FakeJudge()) for name in "xyz"],
            max_rounds=1,
        )

    one, two = [await graph.negotiate(ticket(), run()) for _ in range(2)]
    assert one.model_dump_json() == two.model_dump_json()
    assert Negotiation.model_validate_json(one.model_dump_json()) == one
