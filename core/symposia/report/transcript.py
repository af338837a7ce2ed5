"""A negotiation as a readable conversation: who said what, what was found, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from symposia.records import (
    Critique,
    Decision,
    Draft,
    JsonValue,
    Judgment,
    Negotiation,
    NoveltyVerdict,
    Objection,
    Rebuttal,
    Turn,
    Usage,
    Verdict,
)
from symposia.report.text import one_line, plain, shorten, wrap

__all__ = [
    "Line",
    "Tone",
    "decision_lines",
    "draft_lines",
    "judgment_lines",
    "render",
    "task_lines",
    "transcript",
    "turn_lines",
    "usage_text",
    "verdict_lines",
]

Tone = Literal["plain", "title", "speaker", "good", "bad", "doubt", "faint"]
"""What a line is, for those who can show colours."""

_LONGEST_SEED = 700
_MARKS: dict[str, tuple[str, Tone]] = {
    "pass": ("✓", "good"),
    "fail": ("✗", "bad"),
    "abstain": ("–", "faint"),
    "error": ("!", "doubt"),
}
_ENDINGS = {
    "settled": "nothing is open any more",
    "max_rounds": "the rounds are over",
    "no_gain": "a round brought no gain",
    "budget": "the negotiation's budget is gone",
    "near_duplicate": "the teacher kept drafting a near duplicate",
    "unusable": "the model's answer could not be used",
    "failed": "a request failed",
}


@dataclass(frozen=True)
class Line:
    """One line of a transcript, safe to show, with its tone."""

    text: str = ""
    tone: Tone = "plain"

    def __post_init__(self) -> None:
        # Whatever was put together from records, names and ids included, is made fit to be shown here.
        object.__setattr__(self, "text", plain(self.text).replace("\n", "␊"))


def render(negotiation: Negotiation, decision: Decision | None = None, width: int = 100) -> str:
    """The whole conversation as plain text.

    Args:
        negotiation: What was said and found.
        decision: How it was decided, where it was.
        width: Longest line, characters.
    """
    return "\n".join(line.text for line in transcript(negotiation, decision, width)) + "\n"


def transcript(negotiation: Negotiation, decision: Decision | None = None, width: int = 100) -> list[Line]:
    """The whole conversation, line by line."""
    lines = list(task_lines(negotiation, width))
    for round_ in _rounds(negotiation):
        lines += [Line(), Line(f"── round {round_} ".ljust(width, "─"), "title")]
        lines += _round(negotiation, round_, width)
    lines += [Line(), Line("── end ".ljust(width, "─"), "title"), *_ending(negotiation, width)]
    if decision is not None:
        lines += decision_lines(decision, width)
    lines.append(Line(usage_text(negotiation.usage), "faint"))
    return lines


def usage_text(usage: Usage) -> str:
    """Calls, tokens and money in words; an unknown price is said to be unknown."""
    calls = f"{usage.calls:,} call{'' if usage.calls == 1 else 's'}"
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:,.4f}".rstrip("0").rstrip(".")
    return f"{calls} · {usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written · {cost}"


def task_lines(negotiation: Negotiation, width: int) -> Iterator[Line]:
    """What was asked: the source row, the persona, the system instruction."""
    task = negotiation.ticket.task
    source = f" · {one_line(task.source_id)}" if task.source_id else ""
    yield Line(f"task {task.number} · {negotiation.graph}{source}", "title")
    if task.persona is not None:
        register = f" ({task.persona.speech_register})"
        yield from _lines(f"{task.persona.name}{register}", width, "  persona   ")
    if task.system:
        yield from _lines(task.system, width, "  system    ")
    for name, value in (*task.seed.items(), *task.parameters.items()):
        shown = f"({len(value)} items)" if isinstance(value, list) else shorten(_text(value), _LONGEST_SEED)
        yield from _lines(shown, width, f"  {one_line(name):<9} ", "faint")


def _rounds(negotiation: Negotiation) -> list[int]:
    said = {turn.round for turn in negotiation.turns if turn.kind != "judge"}
    drafted = {draft.round for draft in negotiation.drafts}
    found = {verdict.round for verdict in negotiation.verdicts} | {probe.round for probe in negotiation.probes}
    return sorted(said | drafted | found)


def _round(negotiation: Negotiation, round_: int, width: int) -> Iterator[Line]:
    objections = {objection.id: objection for objection in negotiation.objections}
    answers = [rebuttal for rebuttal in negotiation.rebuttals if rebuttal.round == round_]
    earlier = [a for a in answers if a.objection in objections and objections[a.objection].raised_in < round_]
    yield from _answers(negotiation, earlier, round_, width)
    draft = next((draft for draft in negotiation.drafts if draft.round == round_), None)
    for turn in negotiation.turns:
        if turn.round == round_ and turn.kind in {"propose", "revise"}:
            yield from _repairs(turn, width)
            if draft is None:
                yield from turn_lines(turn, None, width)
    if draft is not None:
        yield Line(f"{_speaker(negotiation, draft, round_)} drafts", "speaker")
        yield from draft_lines(draft, width)
    yield from verdict_lines(negotiation.verdicts_on(round_), width)
    # The probe while arguing and the gate at the end often say the same.
    for probe in dict.fromkeys(negotiation.probes):
        if probe.round == round_:
            yield from _probe(probe, width)
    for critique in negotiation.critiques:
        if critique.round == round_:
            yield from _critique(negotiation, critique, width)
    yield from _answers(negotiation, [a for a in answers if a not in earlier], round_, width)


def _speaker(negotiation: Negotiation, draft: Draft, round_: int) -> str:
    turn = next((t for t in negotiation.turns if t.round == round_ and t.role == draft.author), None)
    return f"{one_line(draft.author)} ({one_line(turn.model)})" if turn else one_line(draft.author)


def draft_lines(draft: Draft, width: int) -> Iterator[Line]:
    """The payload of a draft, one field after another."""
    room = min(max((len(name) for name in draft.payload), default=0), 14)
    for name, value in draft.payload.items():
        yield from _lines(_text(value), width, f"    {one_line(name):<{room}}  ")


def turn_lines(turn: Turn, draft: Draft | None, width: int) -> Iterator[Line]:
    """What a role said as soon as it is said: its draft, or its words."""
    doing = {
        "propose": "drafts",
        "revise": "revises",
        "criticise": "criticises",
        "rule": "rules",
        "judge": "judges",
        "check": "checks",
    }[turn.kind]
    yield Line(f"{one_line(turn.role)} ({one_line(turn.model)}) {doing}", "speaker")
    if draft is not None:
        yield from draft_lines(draft, width)
    elif isinstance(turn.value, dict):
        for name, value in turn.value.items():
            yield from _lines(_text(value), width, f"    {one_line(name)}  ")
    elif turn.value is not None:
        yield from _lines(_text(turn.value), width, "    ")
    else:
        yield from _lines(shorten(turn.text, _LONGEST_SEED) or "(nothing)", width, "    ", "faint")


def _repairs(turn: Turn, width: int) -> Iterator[Line]:
    if len(turn.repairs) == 1 and turn.repairs[0].ok:
        return
    for step in turn.repairs:
        end = "ok" if step.ok else f"no: {one_line(step.error)}"
        yield from _lines(f"{step.action.replace('_', ' ')}: {end}", width, "    ↻ ", "faint")


def verdict_lines(verdicts: Sequence[Verdict], width: int, title: str = "checks") -> Iterator[Line]:
    """What verifiers found, with their evidence."""
    if verdicts:
        yield Line(title, "speaker")
    for verdict in verdicts:
        mark, tone = _MARKS[verdict.status]
        notes = [verdict.kind, *([] if verdict.required else ["advisory"])]
        head = f"    {mark} {one_line(verdict.verifier):<10} ({', '.join(notes)})"
        cause = f"{one_line(verdict.cause)}: " if verdict.cause and verdict.status != "pass" else ""
        yield from _lines(f"{cause}{verdict.evidence.summary}", width, f"{head} ", tone, hang="      ")
        if verdict.evidence.excerpt:
            yield from _lines(f"“{shorten(verdict.evidence.excerpt, 300)}”", width, "        ", "faint")


def _probe(probe: NoveltyVerdict, width: int) -> Iterator[Line]:
    if probe.novel:
        yield Line(f"    ✓ new: nearest at {probe.similarity:.3f}, below {probe.threshold:g}", "good")
        return
    yield Line(f"    ✗ near duplicate: {probe.similarity:.3f}, at or above {probe.threshold:g}", "bad")
    for neighbour in probe.neighbours[:3]:
        text = f"{neighbour.similarity:.3f} “{shorten(neighbour.text, 200)}”"
        yield from _lines(text, width, "        ", "faint")


def _critique(negotiation: Negotiation, critique: Critique, width: int) -> Iterator[Line]:
    turn = next((t for t in negotiation.turns if t.round == critique.round and t.kind == "criticise"), None)
    model = f" ({one_line(turn.model)})" if turn else ""
    raised = [o for o in negotiation.objections if o.raised_in == critique.round]
    if critique.unscored is not None:
        yield Line(f"critic{model} could not be read: {one_line(critique.unscored)}", "speaker")
        return
    dropped = f" ({critique.discarded} without ground discarded)" if critique.discarded else ""
    yield Line(f"critic{model} {'objects' if raised else 'has no objection'}{dropped}", "speaker")
    for objection in raised:
        yield from _objection(objection, width)


def _objection(objection: Objection, width: int) -> Iterator[Line]:
    by = "" if objection.raised_by == "critic" else f" by {one_line(objection.raised_by)}"
    tone: Tone = "faint" if objection.status == "withdrawn" else "bad"
    head = f"[{objection.id}] {objection.severity} · {one_line(objection.principle)}{by} · {objection.status}"
    yield Line(f"    {head}", tone)
    if objection.quote:
        yield from _lines(f"“{shorten(objection.quote, 300)}”", width, "        ", "faint")
    yield from _lines(objection.reason, width, "        ")
    if objection.suggestion:
        yield from _lines(objection.suggestion, width, "        → ", hang="          ")


def _answers(negotiation: Negotiation, answers: Sequence[Rebuttal], round_: int, width: int) -> Iterator[Line]:
    if not answers:
        return
    yield Line("reviser answers", "speaker")
    for answer in answers:
        verb = "fixes" if answer.action == "fix" else "contests"
        head = f"    [{answer.objection}] {verb}"
        yield from _lines(answer.argument, width, f"{head}: ", hang="        ") if answer.argument else [Line(head)]
    contested = {answer.objection for answer in answers if answer.action == "contest"}
    rulings = [r for r in negotiation.rulings if r.round == round_ and r.objection in contested]
    if rulings:
        yield Line("critic rules", "speaker")
    for ruling in rulings:
        tone: Tone = "good" if ruling.outcome == "withdrawn" else "bad"
        head = f"    [{ruling.objection}] {ruling.outcome}"
        reason = f": {ruling.reason}" if ruling.reason else ""
        yield from _lines(f"{head}{reason}", width, "", tone, hang="        ")


def _ending(negotiation: Negotiation, width: int) -> Iterator[Line]:
    for judgment in negotiation.judgments:
        yield from judgment_lines(judgment, width)
    best = "" if negotiation.best_round is None else f"; the draft of round {negotiation.best_round} stands"
    yield Line(f"{_ENDINGS[negotiation.ending]}{best}")
    if negotiation.failure is not None:
        failure = negotiation.failure
        detail = f": {failure.detail}" if failure.detail else ""
        yield from _lines(f"{failure.stage}: {failure.cause}{detail}", width, "    ", "bad")


def judgment_lines(judgment: Judgment, width: int) -> Iterator[Line]:
    """What a judge said, with its standing."""
    who = one_line(judgment.judge) + (f" ({one_line(judgment.model)})" if judgment.model else "")
    standing = "trusted" if judgment.trusted else "advisory"
    if judgment.score is None:
        yield Line(f"judge {who} gives no score: {one_line(judgment.unscored or '')}", "doubt")
        return
    native = ""
    if judgment.native is not None and judgment.scale is not None:
        native = f" ({judgment.native:g} on {judgment.scale[0]:g}–{judgment.scale[1]:g})"
    yield Line(f"judge {who} gives {judgment.score:.2f}{native}, {standing}", "speaker")
    for criterion in judgment.criteria:
        reason = f": {criterion.reason}" if criterion.reason else ""
        yield from _lines(f"{criterion.criterion} {criterion.native:g}{reason}", width, "    ")
    if judgment.rationale:
        yield from _lines(judgment.rationale, width, "    ")


def decision_lines(decision: Decision, width: int) -> Iterator[Line]:
    """The decision, with what a person said about it."""
    tones: dict[str, Tone] = {"accepted": "good", "rejected": "bad", "failed": "bad", "withdrawn": "bad"}
    cause = f": {one_line(decision.cause)}" if decision.cause else ""
    tone = tones.get(decision.outcome, "doubt")
    yield Line(f"{decision.outcome.upper()} at {decision.stage}{cause}", tone)
    evidence = ", ".join(decision.evidence)
    if decision.detail and decision.detail != evidence:
        yield from _lines(decision.detail, width, "    ")
    if decision.evidence:
        yield from _lines(evidence, width, "    evidence  ")
    if decision.score is not None:
        yield Line(f"    score     {decision.score:.2f}")
    human = decision.review
    if human is not None:
        how = [human.policy, *(["blind"] if human.blind else []), *(["in bulk"] if human.bulk else [])]
        told = f": {human.note}" if human.note else ""
        reasons = f" [{', '.join(human.reasons)}]" if human.reasons else ""
        action = human.action.replace("_", " ")
        yield from _lines(f"{human.reviewer} ({', '.join(how)}) {action}{reasons}{told}", width, "    person    ")


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(f"• {_text(item)}" for item in value) if value else "(none)"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(item)}" for name, item in value.items() if item not in ("", None))
    return orjson.dumps(value).decode()


def _lines(text: str, width: int, first: str, tone: Tone = "plain", hang: str | None = None) -> Iterator[Line]:
    indent = " " * len(first) if hang is None else hang
    for line in wrap(text, width, indent, first):
        yield Line(line, tone)
