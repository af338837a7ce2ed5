"""Asks about one principle at a time: first whether it is broken, and only then where and how."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from symposia.contracts import Ask, RoleModel, UnusableAnswerError
from symposia.prompts import Prompt
from symposia.records import Constitution, Draft, Message, Principle, Task, Turn
from symposia_plugins.critics import ConstitutionParams
from symposia_plugins.critics.claims import Claim
from symposia_plugins.critics.replies import BROKEN, claim_in, detail_schema, is_broken

__all__ = ["SINGLE_PROMPTS", "check_each"]

T = TypeVar("T")

_HERE = Path(__file__).parent
_SYSTEM = Prompt.read(_HERE / "principle_system.md")
_CHECK = Prompt.read(_HERE / "principle_check.md")
_DETAIL = Prompt.read(_HERE / "principle_detail.md")
SINGLE_PROMPTS = (_SYSTEM, _CHECK, _DETAIL)


class _Checked(NamedTuple):
    """What came of one principle: whether the answers could be read, and the claim where it is broken."""

    readable: bool
    claim: Claim | None
    turns: tuple[Turn, ...]


async def check_each(
    shown: str, draft: Draft, task: Task, constitution: Constitution, model: RoleModel, params: ConstitutionParams
) -> tuple[list[Claim], list[str], tuple[Turn, ...]]:
    """Claims, ids of the principles about which nothing could be read, and all turns, in principle order."""
    checked = await _together(
        [
            _check(number, principle, shown, draft, task, model, params)
            for number, principle in enumerate(constitution.principles)
        ]
    )
    claims = [one.claim for one in checked if one.claim is not None]
    ids = (principle.id for principle in constitution.principles)
    unread = [id_ for id_, one in zip(ids, checked, strict=True) if not one.readable]
    return claims, unread, tuple(turn for one in checked for turn in one.turns)


async def _check(
    number: int,
    principle: Principle,
    shown: str,
    draft: Draft,
    task: Task,
    model: RoleModel,
    params: ConstitutionParams,
) -> _Checked:
    messages: list[Message] = [
        {"role": "system", "content": _SYSTEM.render()},
        {"role": "user", "content": _CHECK.render(shown=shown, principle=principle, examples=params.examples)},
    ]
    turns: tuple[Turn, ...] = ()
    try:
        first = await model.ask(Ask(task.number, draft.round, "check", messages, BROKEN, index=number))
        turns = (first.turn,)
        if not is_broken(first.value):
            return _Checked(True, None, turns)
        messages.append({"role": "assistant", "content": first.text})
        messages.append({"role": "user", "content": _DETAIL.render(severity=principle.severity)})
        ask = Ask(task.number, draft.round, "criticise", messages, detail_schema(params.max_chars), index=number)
        second = await model.ask(ask)
    except UnusableAnswerError as exc:
        return _Checked(False, None, (*turns, exc.turn))
    return _Checked(True, claim_in(principle.id, second.value), (*turns, second.turn))


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; when one fails the others are stopped before the error goes on."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
