"""A negotiation without a model: roles that say what a test tells them to, and parts that keep count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from symposia.contracts import (
    Answer,
    Ask,
    ChatReply,
    NegotiateContext,
    RoleModel,
    SeatedJudge,
    SeatedVerifier,
    UnusableAnswerError,
    VerifierCost,
)
from symposia.records import (
    Constitution,
    Critique,
    Draft,
    Evidence,
    EvidenceKind,
    HumanDecision,
    JsonObject,
    Judgment,
    NegotiationSpec,
    Neighbour,
    NoveltyVerdict,
    Objection,
    Principle,
    Rebuttal,
    Ruling,
    Severity,
    Task,
    Ticket,
    Turn,
    Usage,
    Verdict,
    VerdictStatus,
)

__all__ = [
    "CONSTITUTION",
    "FakeCritic",
    "FakeGate",
    "FakeJudge",
    "FakeRole",
    "FakeVerifier",
    "MemoryVerdicts",
    "Unusable",
    "draft_of",
    "human_says",
    "judge_seat",
    "objects",
    "revision",
    "seat",
    "table",
    "ticket",
]

TOKENS = 10
"""Tokens of every turn."""

CONSTITUTION = Constitution(
    name="test",
    principles=tuple(Principle(id=name, title=name, text=f"be {name}") for name in ("true", "short", "kind")),
)


class Unusable(Exception):
    """In a script: the answer can't be used, for this cause."""

    def __init__(self, cause: str = "unparsable") -> None:
        super().__init__(cause)
        self.cause = cause


def draft_of(response: str, instruction: str = "Say something useful.") -> JsonObject:
    """A payload of the graph ``negotiate``."""
    return {"instruction": instruction, "response": response}


def revision(response: str, **answers: str) -> JsonObject:
    """What a reviser says: ``r0_0="fix"`` answers objection ``r0.0``."""
    return {
        "answers": {
            id_.replace("_", "."): {"action": action, "argument": f"because {action}"}
            for id_, action in answers.items()
        },
        "draft": draft_of(response),
    }


def _turn(ask: Ask, role: str, text: str) -> Turn:
    return Turn(
        round=ask.round,
        role=role,
        kind=ask.kind,
        model=f"scripted/{role}",
        text=text,
        usage=Usage(calls=1, prompt_tokens=TOKENS - 2, completion_tokens=2),
    )


Script = Callable[[Ask], Any]


@dataclass
class FakeRole:
    """A role that follows a script: values, exceptions, or a function of the question."""

    role: str
    script: Script | Iterable[Any] = ()
    asks: list[Ask] = field(default_factory=list)
    wait: Callable[[Ask], float] | None = None

    def __post_init__(self) -> None:
        self._lines = iter(()) if callable(self.script) else iter(self.script)

    @property
    def model(self) -> str:
        return f"scripted/{self.role}"

    @property
    def identity(self) -> str:
        return self.model

    async def ask(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        if self.wait is not None:
            await asyncio.sleep(self.wait(ask))
        value = self.script(ask) if callable(self.script) else next(self._lines)
        if isinstance(value, Unusable):
            raise UnusableAnswerError("nothing usable", _turn(ask, self.role, ""), value.cause)
        if isinstance(value, BaseException):
            raise value
        text = orjson.dumps(value).decode()
        used = ask.schema
        if ask.smaller is not None and "answers" not in value:
            used = ask.smaller
        read = used.read(value) if used is not None else value
        usage = Usage(calls=1, prompt_tokens=TOKENS - 2, completion_tokens=2)
        reply = ChatReply(texts=(text,), finish_reasons=("stop",), usage=usage)
        return Answer(_turn(ask, self.role, text), text, read, used, reply)


def objects(principle: str, severity: Severity = "major", quote: str = "") -> Objection:
    """An objection as a critic makes it; its id is the node's business."""
    return Objection(
        id="whatever", principle=principle, severity=severity, quote=quote, reason=f"it is not {principle}"
    )


@dataclass
class FakeCritic:
    """Objects to drafts by their response, and rules by principle."""

    finds: Callable[[Draft], Sequence[Objection] | str] = lambda draft: ()
    rules: Callable[[Objection, Rebuttal], Any] = lambda objection, rebuttal: "upheld"
    seen: list[tuple[Draft, tuple[Verdict, ...]]] = field(default_factory=list)
    contested: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return "fake"

    async def criticise(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        verdicts: Sequence[Verdict],
        model: RoleModel,
    ) -> tuple[Critique, tuple[Turn, ...]]:
        self.seen.append((draft, tuple(verdicts)))
        found = self.finds(draft)
        ask = Ask(task=task.number, round=draft.round, kind="criticise", messages=())
        turns = (_turn(ask, "critic", "critique"),)
        if isinstance(found, str):
            return Critique(round=draft.round, unscored=found), turns
        return Critique(round=draft.round, objections=tuple(found)), turns

    async def rule(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        contested: Sequence[tuple[Objection, Rebuttal]],
        model: RoleModel,
    ) -> tuple[tuple[Ruling, ...], tuple[Turn, ...]]:
        self.contested.append(tuple(objection.id for objection, _ in contested))
        ask = Ask(task=task.number, round=draft.round, kind="rule", messages=())
        rulings = tuple(
            Ruling(objection=o.id, round=99, outcome=outcome)
            for o, r in contested
            if (outcome := self.rules(o, r)) is not None
        )
        return rulings, (_turn(ask, "critic", "ruling"),)


@dataclass
class FakeVerifier:
    """Answers by payload; counts how often it was asked."""

    name: str = "facts"
    finds: Callable[[Draft], Any] = lambda draft: "pass"
    cost: VerifierCost = "costly"
    evidence: EvidenceKind = "content"
    version: str = "1"
    calls: list[Draft] = field(default_factory=list)

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        self.calls.append(draft)
        found = self.finds(draft)
        if isinstance(found, BaseException):
            raise found
        status: VerdictStatus = found
        return Verdict(
            verifier=self.name,
            version=self.version,
            kind=self.evidence,
            status=status,
            cause="" if status == "pass" else f"was_{status}",
            evidence=Evidence(summary=f"{self.name} says {status}", private={"pid": 4711}),
        )


def seat(verifier: FakeVerifier, *, required: bool = True) -> SeatedVerifier:
    """A seat for a verifier."""
    return SeatedVerifier(verifier, required, "params")


@dataclass
class FakeJudge:
    """Gives one score, or what else a test wants."""

    finds: Callable[[Draft], Any] = lambda draft: 0.9
    seen: list[tuple[Draft, tuple[Verdict, ...]]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return "fake"

    async def judge(
        self, draft: Draft, task: Task, verdicts: Sequence[Verdict], model: RoleModel
    ) -> tuple[Judgment, tuple[Turn, ...]]:
        self.seen.append((draft, tuple(verdicts)))
        found = self.finds(draft)
        ask = Ask(task=task.number, round=draft.round, kind="judge", messages=())
        turn = _turn(ask, model.role, "score")
        if isinstance(found, Unusable):
            raise UnusableAnswerError("no score", turn, found.cause)
        if isinstance(found, BaseException):
            raise found
        return Judgment(judge="its own name", model=model.model, score=found), (turn,)


def judge_seat(name: str, judge: FakeJudge, *, trusted: bool = False) -> SeatedJudge:
    """A seat on the panel."""
    return SeatedJudge(name, judge, FakeRole(f"judge:{name}"), independent=True, trusted=trusted)


@dataclass
class FakeGate:
    """Texts that are taken; near is what is equal."""

    taken: dict[int, str] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    probes: int = 0

    def _verdict(self, draft: Draft, but: int | None = None) -> NoveltyVerdict:
        text = str(draft.payload["response"])
        near = [number for number, other in self.taken.items() if other == text and number != but]
        return NoveltyVerdict(
            check="fake",
            novel=not near,
            threshold=0.9,
            similarity=1.0 if near else 0.0,
            neighbours=tuple(Neighbour(id=f"task-{n}", text=self.taken[n], similarity=1.0) for n in near),
        )

    async def probe(self, draft: Draft, as_of: int) -> NoveltyVerdict | None:
        self.probes += 1
        return self._verdict(draft)

    async def reserve(self, task: int, draft: Draft) -> NoveltyVerdict | None:
        self.calls.append(("reserve", task))
        verdict = self._verdict(draft, but=task)
        if verdict.novel:
            self.taken[task] = str(draft.payload["response"])
        return verdict

    async def release(self, task: int) -> None:
        self.calls.append(("release", task))
        self.taken.pop(task, None)


@dataclass
class MemoryVerdicts:
    """Verdicts in memory."""

    stored: dict[str, Verdict] = field(default_factory=dict)

    async def get(self, key: str) -> Verdict | None:
        return self.stored.get(key)

    async def put(self, key: str, verdict: Verdict) -> None:
        self.stored[key] = verdict


def table(
    teacher: Script | Iterable[Any] = (),
    reviser: Script | Iterable[Any] = (),
    critic: FakeCritic | None = None,
    *,
    verifiers: Sequence[SeatedVerifier] = (),
    judges: Sequence[SeatedJudge] = (),
    gate: FakeGate | None = None,
    retries: int = 0,
    verdicts: MemoryVerdicts | None = None,
    on_turn: Callable[[int, Turn, Draft | None], None] | None = None,
    **settings: Any,
) -> NegotiateContext:
    """Everybody at the table."""
    roles = {
        "teacher": FakeRole("teacher", teacher),
        "critic": FakeRole("critic"),
        "reviser": FakeRole("reviser", reviser),
    }
    listen = on_turn or (lambda task, turn, draft: None)
    return NegotiateContext(
        roles=roles,
        critic=critic,
        constitution=CONSTITUTION if critic is not None else None,
        verifiers=verifiers,
        judges=judges,
        settings=NegotiationSpec(**settings),
        novelty_retries=retries,
        probe=gate,
        verdicts=verdicts,
        on_turn=listen,
    )


def ticket(number: int = 0, **task: Any) -> Ticket:
    """A ticket."""
    return Ticket(task=Task(number=number, **task), run_seed=7, as_of=3)


def human_says(action: str, draft: Draft, task: int = 0, **more: Any) -> HumanDecision:
    """A person's decision about a draft."""
    return HumanDecision.model_validate(
        {
            "task": task,
            "reviewer": "ann",
            "action": action,
            "policy": "all",
            "selection_probability": 1.0,
            "content_hash": draft.hash,
            "constitution_hash": CONSTITUTION.hash,
            "decided_at": datetime(2026, 1, 1, tzinfo=UTC),
            **more,
        }
    )
