"""Rules that every verifier keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from symposia.contracts import Verifier
from symposia.records import Draft, JsonObject, JsonValue, Task, Verdict
from symposia.testing.conformance.rules import ODD_TEXTS, require

__all__ = ["Case", "check_verifier"]

_CAUSE = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class Case:
    """A draft, its task, and the cause that its failure must have; any cause when empty."""

    payload: JsonObject
    task: Task = field(default_factory=lambda: Task(number=0))
    cause: str = ""


async def check_verifier(
    build: Callable[[], Verifier],
    *,
    passing: Sequence[Case],
    failing: Sequence[Case],
    abstaining: Sequence[Case] = (),
) -> None:
    """Check a verifier against drafts that pass, fail and do not concern it.

    Args:
        build: Makes the verifier.
        passing: Drafts that it must pass.
        failing: Drafts that it must fail.
        abstaining: Drafts about which it must say nothing.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    verifier = build()
    require(verifier.name and verifier.version, "a verifier has a name and a version")
    require(verifier.evidence in {"content", "form"}, "evidence is 'content' or 'form'")
    require(verifier.cost in {"cheap", "costly"}, "cost is 'cheap' or 'costly'")
    for status, cases in (("pass", passing), ("fail", failing), ("abstain", abstaining)):
        for case in cases:
            verdict = await _verdict(verifier, case)
            found = f"{verdict.status} ({verdict.cause}: {verdict.evidence.summary})"
            require(verdict.status == status, f"{case.payload} must {status}, but got {found}")
            if case.cause:
                require(verdict.cause == case.cause, f"{case.payload} must have cause {case.cause}, not {found}")
            require(verdict == await _verdict(build(), case), "the same input gives the same verdict")
    for payload in _odd_payloads([*passing, *failing]):
        await _verdict(verifier, Case(payload))


async def _verdict(verifier: Verifier, case: Case) -> Verdict:
    draft = Draft(round=3, author="teacher", payload=case.payload)
    verdict = await verifier.verify(draft, case.task)
    require(verdict.verifier == verifier.name, "a verdict names its verifier")
    require(verdict.version == verifier.version, "a verdict names the verifier's version")
    require(verdict.kind == verifier.evidence, "a verdict has the kind of evidence that the verifier declares")
    require(verdict.round == draft.round, "a verdict names the round of the draft")
    require(verdict.evidence.summary, "evidence has a summary")
    if verdict.status in {"fail", "abstain", "error"}:
        require(_CAUSE.match(verdict.cause), f"a cause is short and snake_case, not {verdict.cause!r}")
    require(Verdict.model_validate_json(verdict.model_dump_json()) == verdict, "a verdict survives JSON")
    return verdict


def _odd_payloads(cases: Sequence[Case]) -> Iterator[JsonObject]:
    """What a model may also give: nothing, other types, odd texts in each field."""
    yield {}
    names = sorted({name for case in cases for name in case.payload}) or ["text"]
    others: tuple[JsonValue, ...] = (None, 0, -1.5, True, [], {}, [None, ["deep", {"x": "y"}]], {"role": None})
    for odd in (*others, *ODD_TEXTS):
        yield {name: odd for name in names}
