"""Constitutions: found by name or path, read with file and line, and linted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from symposia.contracts import Ask, RoleModel, Schema, UnusableAnswerError
from symposia.errors import RecipeError, did_you_mean
from symposia.host import Host
from symposia.prompts import Prompt
from symposia.records import Constitution, Message, Negotiation, Principle
from symposia.yamldoc import Problem, YamlDoc, dotted, problems_of, read_yaml, require_mapping, validate

__all__ = [
    "Finding",
    "count_objections",
    "find_constitution",
    "find_never_fired",
    "find_suspected_contradictions",
    "is_path",
    "lint_constitution",
    "load_constitution",
]

Level = Literal["error", "warning", "note", "opinion"]


@dataclass(frozen=True)
class Finding:
    """One thing that the lint found.

    Attributes:
        level: ``error`` (can't be used), ``warning``, ``note``, or ``opinion`` (a model's, which may be wrong).
        rule: Kebab-case name of the rule.
        message: What was found.
        principles: Ids of the principles it is about.
        place: ``file:line:column``; empty where it is not about a place.
    """

    level: Level
    rule: str
    message: str
    principles: tuple[str, ...] = ()
    place: str = ""


def is_path(ref: str) -> bool:
    """Whether a reference names a file rather than something shipped."""
    return ref.endswith((".yaml", ".yml")) or "/" in ref or "\\" in ref


def find_constitution(ref: str, *, base: Path, host: Host) -> Path:
    """The file of a constitution.

    Args:
        ref: Name of a shipped constitution, or a path.
        base: Folder against which a relative path is read.
        host: Who ships constitutions.

    Raises:
        PluginError: Nothing of that name is shipped.
    """
    return (base / Path(ref).expanduser()) if is_path(ref) else host.text("constitution", ref).path


def load_constitution(ref: str, *, base: Path, host: Host) -> Constitution:
    """A constitution by name or path.

    Raises:
        PluginError: Nothing of that name is shipped.
        RecipeError: The file can't be read or is not valid; the message names file and line.
    """
    path = find_constitution(ref, base=base, host=host)
    doc = read_yaml(path, ref if is_path(ref) else None)
    _refuse_twins(doc)
    return validate(doc, Constitution, "constitution")


def _refuse_twins(doc: YamlDoc) -> None:
    """The record refuses them too, but can't say in which line they stand."""
    listed = doc.value.get("principles") if isinstance(doc.value, dict) else None
    first: dict[object, int] = {}
    for number, entry in enumerate(listed if isinstance(listed, list) else []):
        name = entry.get("id") if isinstance(entry, dict) else None
        place = doc.place(("principles", number))
        if isinstance(name, str) and name in first:
            raise RecipeError(
                f"{place}: the principle id '{name}' stands twice (first in line {first[name]})",
                "give each principle an id of its own",
            )
        first.setdefault(name, place.line)


def lint_constitution(path: Path) -> list[Finding]:
    """What can be found wrong in a file without a run and without a model.

    Raises:
        RecipeError: The file is no YAML mapping at all.
    """
    doc = read_yaml(path)
    top = require_mapping(doc, "constitution")
    listed = top.get("principles")
    entries: list[object] = listed if isinstance(listed, list) else []
    # The principles are validated one by one, so that what stands twice is a finding among others.
    rest = {key: value for key, value in top.items() if key != "principles"}
    found = _invalid(doc, Constitution, {**rest, "principles": [_STANDIN]}, ())
    if not entries:
        found.append(
            Finding("error", "no-principles", "there are no principles", place=str(doc.place(("principles",))))
        )
    principles: list[tuple[int, Principle]] = []
    for number, entry in enumerate(entries):
        wrong = _invalid(doc, Principle, entry, ("principles", number))
        found += wrong
        if not wrong:
            principles.append((number, Principle.model_validate(entry)))
    found += _duplicates(doc, principles)
    found += _missing_examples(doc, principles)
    found += _conflicts(doc, principles)
    return found


_STANDIN = {"id": "standin", "title": "standin", "text": "standin"}


def _invalid(doc: YamlDoc, model: type[BaseModel], value: object, prefix: tuple[str | int, ...]) -> list[Finding]:
    try:
        model.model_validate(value)
    except ValidationError as exc:
        return [_finding(doc, problem) for problem in problems_of(exc, model, prefix)]
    return []


def _finding(doc: YamlDoc, problem: Problem) -> Finding:
    hint = f" ({problem.hint})" if problem.hint else ""
    return Finding(
        "error", "invalid", f"{dotted(problem.path)}: {problem.message}{hint}", place=str(doc.place(problem.path))
    )


def _duplicates(doc: YamlDoc, principles: list[tuple[int, Principle]]) -> list[Finding]:
    found = []
    ids: dict[str, int] = {}
    texts: dict[str, str] = {}
    for number, principle in principles:
        place = doc.place(("principles", number))
        if principle.id in ids:
            first = doc.place(("principles", ids[principle.id])).line
            message = f"the id '{principle.id}' stands twice, first in line {first}"
            found.append(Finding("error", "duplicate-id", message, (principle.id,), str(place)))
        ids.setdefault(principle.id, number)
        plain = " ".join(principle.text.lower().split())
        twin = texts.setdefault(plain, principle.id)
        if twin != principle.id:
            message = f"'{principle.id}' has the same text as '{twin}'"
            found.append(Finding("warning", "duplicate-text", message, (twin, principle.id), str(place)))
    return found


def _missing_examples(doc: YamlDoc, principles: list[tuple[int, Principle]]) -> list[Finding]:
    found = []
    for number, principle in principles:
        missing = [name for name in ("positive", "negative") if not getattr(principle, name).strip()]
        if missing:
            found.append(
                Finding(
                    "warning",
                    "missing-example",
                    f"'{principle.id}' has no {' and no '.join(missing)} example",
                    (principle.id,),
                    str(doc.place(("principles", number))),
                )
            )
    return found


def _conflicts(doc: YamlDoc, principles: list[tuple[int, Principle]]) -> list[Finding]:
    ids = [principle.id for _, principle in principles]
    found = []
    declared: set[tuple[str, ...]] = set()
    for number, principle in principles:
        place = str(doc.place(("principles", number, "conflicts_with")))
        for other in principle.conflicts_with:
            pair = tuple(sorted((principle.id, other)))
            if other == principle.id:
                message = f"'{other}' is declared to conflict with itself"
                found.append(Finding("error", "conflict-with-itself", message, (other,), place))
            elif other not in ids:
                message = (
                    f"'{principle.id}' conflicts with '{other}', which is not here ({did_you_mean(other, ids)})"
                )
                found.append(Finding("error", "unknown-conflict", message, (principle.id, other), place))
            elif pair not in declared:
                declared.add(pair)
                message = f"'{pair[0]}' and '{pair[1]}' are declared to be in tension"
                found.append(Finding("note", "declared-conflict", message, pair, place))
    return found


def count_objections(negotiations: Iterable[Negotiation]) -> tuple[Counter[str], int]:
    """How often each principle was objected to, and how many drafts were criticised.

    Returns:
        Objections by principle id, and the number of critiques that could be read.
    """
    fired: Counter[str] = Counter()
    critiques = 0
    for negotiation in negotiations:
        critiques += sum(1 for critique in negotiation.critiques if critique.unscored is None)
        fired.update(objection.principle for objection in negotiation.objections)
    return fired, critiques


def find_never_fired(constitution: Constitution, fired: Mapping[str, int], critiques: int) -> list[Finding]:
    """Principles that no objection of a run was about."""
    if critiques == 0:
        return [
            Finding("note", "never-fired", "the run has no critique that could be read, so nothing can be said")
        ]
    found = []
    strangers = sorted(set(fired) - {principle.id for principle in constitution.principles})
    if strangers:
        names = ", ".join(strangers[:5])
        message = f"the run was held against another constitution: it objected to {names}, which is not here"
        found.append(Finding("warning", "other-constitution", message, tuple(strangers)))
    for principle in constitution.principles:
        if not fired.get(principle.id):
            message = f"'{principle.id}' never fired in {critiques} critiques"
            found.append(Finding("warning", "never-fired", message, (principle.id,)))
    return found


class _Opinion(BaseModel):
    """What a model thinks about two principles."""

    contradict: bool = Field(description="True when no sample can satisfy both.")
    reason: str = Field(max_length=600)


_QUESTION = Prompt(
    """Two principles are meant to hold for the same text.

{{ first | fenced("first_principle") }}

{{ second | fenced("second_principle") }}

Can one text satisfy both? They contradict each other only if following one forces a text to break the other. Being
about different things, or being hard to satisfy together, is no contradiction.
Answer in JSON with the keys "contradict" (true or false) and "reason" (one sentence).""",
    "constitution lint",
)


async def find_suspected_contradictions(
    constitution: Constitution, model: RoleModel, on_pair: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """Ask a model about every pair of principles of one category; its answers are opinions.

    Args:
        constitution: What is asked about.
        model: Who is asked.
        on_pair: Called with the number of answered pairs and the number of all pairs.

    Raises:
        EndpointError: The model can't be asked.
        RequestError: One question can't be answered.
        CapExceededError: A cap is reached.
    """
    pairs = [
        pair
        for pair in combinations(constitution.principles, 2)
        if pair[0].category == pair[1].category
        # What is declared needs no opinion.
        and pair[1].id not in pair[0].conflicts_with
        and pair[0].id not in pair[1].conflicts_with
    ]
    answered = 0

    async def one(number: int, pair: tuple[Principle, Principle]) -> Finding | None:
        nonlocal answered
        finding = await _opinion(number, pair, model)
        answered += 1
        if on_pair is not None:
            on_pair(answered, len(pairs))
        return finding

    tasks = [asyncio.ensure_future(one(number, pair)) for number, pair in enumerate(pairs)]
    try:
        return [finding for finding in await asyncio.gather(*tasks) if finding is not None]
    finally:
        for task in tasks:
            task.cancel()


async def _opinion(number: int, pair: tuple[Principle, Principle], model: RoleModel) -> Finding | None:
    ids = (pair[0].id, pair[1].id)
    prompt = _QUESTION.render(first=_stated(pair[0]), second=_stated(pair[1]))
    messages: list[Message] = [{"role": "user", "content": prompt}]
    try:
        answer = await model.ask(Ask(number, 0, "check", messages, Schema.of(_Opinion), temperature=0.0))
    except UnusableAnswerError as exc:
        message = f"{model.model} gave no readable answer on '{ids[0]}' and '{ids[1]}' ({exc.cause})"
        return Finding("note", "no-opinion", message, ids)
    opinion = _Opinion.model_validate(answer.value)
    if not opinion.contradict:
        return None
    message = f"{model.model} thinks that '{ids[0]}' and '{ids[1]}' contradict each other: {opinion.reason}"
    return Finding("opinion", "suspected-contradiction", message, ids)


def _stated(principle: Principle) -> str:
    when = f"\nApplies: {principle.applicability}" if principle.applicability else ""
    return f"{principle.title}: {principle.text}{when}"
