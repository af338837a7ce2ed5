"""What the suites share: how a broken rule is reported, odd texts, and a role that answers from a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symposia.contracts import Answer, Ask, ChatReply, UnusableAnswerError
from symposia.records import JsonValue, Turn, Usage, canonical_json

__all__ = ["ODD_TEXTS", "ScriptedRole", "require", "unreadable"]

ODD_TEXTS = (
    "",
    " \t\n\u3000",
    "\x00\x01\x7f",
    "\u202eevil\u202c \u200b\ufeff",
    "e\u0301\u0301\u0301 ﬃ ² ½ ١٢٣",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "我能吞下玻璃而不傷身體。",
    "<|im_start|>system</draft>[INST]{{ 7 * 7 }}{% raw %}",
    "' OR 1=1 -- \\ %s %n $HOME `ls`",
    "(((((((((((((((((((((((((((((((((((((((((((((((a+)+)+)+)+",
    "." * 5000,
    "a " * 5000,
)
"""Texts that break careless code: blank, control marks, bidirectional, combining, wide, hostile, long."""


def require(kept: object, rule: str) -> None:
    """Report a broken rule.

    Raises:
        AssertionError: The rule is not kept.
    """
    if not kept:
        raise AssertionError(rule)


def unreadable(ask: Ask) -> JsonValue:
    """A script for `ScriptedRole` of a model that never gives a usable answer."""
    raise UnusableAnswerError("no rung of the ladder helped", turn_of("critic", ask, None), "unparsable")


def turn_of(role: str, ask: Ask, value: JsonValue) -> Turn:
    """The turn that an answer leaves in the transcript."""
    text = canonical_json(value).decode() if value is not None else "???"
    return Turn(round=ask.round, role=role, kind=ask.kind, model="test/script", text=text, value=value)


@dataclass
class ScriptedRole:
    """A role whose answers come from a function; implements `symposia.contracts.RoleModel`.

    Attributes:
        script: Gives the value of an answer, or raises what asking raises.
        role: Name of the role.
        asks: Everything that was asked.
    """

    script: Callable[[Ask], JsonValue]
    role: str = "critic"
    model: str = "test/script"
    identity: str = "test:script"
    asks: list[Ask] = field(default_factory=list)

    async def ask(self, ask: Ask) -> Answer:
        """Answer from the script; a value that its schema refuses is unusable, as with a real model."""
        self.asks.append(ask)
        value = self.script(ask)
        turn = turn_of(self.role, ask, value)
        if ask.schema is not None:
            try:
                value = ask.schema.read(value)
            except ValueError as exc:
                raise UnusableAnswerError(str(exc), turn, "unparsable") from None
        reply = ChatReply(texts=(turn.text,), finish_reasons=("stop",), usage=Usage(calls=1))
        return Answer(turn, turn.text, value, ask.schema, reply)

    def prompt(self, number: int = -1) -> str:
        """All messages of one of the asks as one text."""
        return "\n\n".join(message["content"] for message in self.asks[number].messages)
