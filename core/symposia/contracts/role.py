"""A model seated in a role: what critics, judges and graph nodes speak through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from symposia.contracts.backend import ChatReply
from symposia.errors import SymposiaError
from symposia.records import JsonObject, JsonValue, Message, Turn, TurnKind

__all__ = ["Answer", "Ask", "RoleModel", "Schema", "UnusableAnswerError", "plain_schema"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Schema:
    """The form an answer must have.

    Attributes:
        name: Short name, letters, digits and underscores.
        body: Plain JSON schema, sent to backends that constrain decoding.
        read: Validates a parsed value and returns its normal form; raises `ValueError` that says what is wrong.
    """

    name: str
    body: JsonObject
    read: Callable[[JsonValue], JsonValue] = field(compare=False)

    @classmethod
    def of(cls, model: type[M]) -> Schema:
        """The schema of a pydantic model; `read` gives the model's JSON form."""
        return cls(model.__name__, plain_schema(model.model_json_schema()), _reader(model))


def _reader(model: type[BaseModel]) -> Callable[[JsonValue], JsonValue]:
    def read(value: JsonValue) -> JsonValue:
        try:
            parsed: JsonValue = model.model_validate(value).model_dump(mode="json", by_alias=True)
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise ValueError(f"{where}: {first['msg']}") from None
        return parsed

    return read


def plain_schema(schema: Mapping[str, Any]) -> JsonObject:
    """A JSON schema with its local references put in place, and titles and defaults left out.

    Servers that constrain decoding differ in what they support; references and annotations are where they differ
    most, and neither says anything about the answer.
    """
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def walk(node: Any, in_properties: bool = False) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, Mapping):
            return node
        if "$ref" in node:
            return walk(definitions[str(node["$ref"]).rsplit("/", 1)[-1]])
        kept = node if in_properties else {k: v for k, v in node.items() if k not in _ANNOTATIONS}
        return {key: walk(value, in_properties=key == "properties") for key, value in kept.items()}

    plain: JsonObject = walk(schema)
    return plain


_ANNOTATIONS = frozenset({"$defs", "title", "default"})


@dataclass(frozen=True)
class Ask:
    """One question to a role.

    Attributes:
        task: Task number; part of the draw.
        round: Round of the negotiation; part of the draw.
        kind: What the turn is for; part of the draw.
        messages: The prompt.
        schema: The form of the answer; None for free text.
        smaller: A reduced form, asked for when the first can't be got.
        index: Tells questions of the same role, kind and round apart; part of the draw.
        n: Number of replies.
        temperature: Instead of the role's own.
        top_logprobs: Alternatives to report for each token.
    """

    task: int
    round: int
    kind: TurnKind
    messages: Sequence[Message]
    schema: Schema | None = None
    smaller: Schema | None = None
    index: int = 0
    n: int = 1
    temperature: float | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a role said.

    Attributes:
        turn: The turn, for the transcript.
        text: The reply, first of ``n``.
        value: The validated value, where a schema was asked for.
        used: The schema that the value follows (`Ask.schema` or `Ask.smaller`).
        reply: The last reply as the backend gave it (all texts, logprobs).
    """

    turn: Turn
    text: str
    value: JsonValue
    used: Schema | None
    reply: ChatReply


class UnusableAnswerError(SymposiaError):
    """No rung of the repair ladder gave a valid answer; the turn tells what was said.

    Args:
        message: What was wrong with the last answer.
        turn: The turn, for the transcript.
        cause: ``unparsable``, ``truncated`` or ``empty``.
    """

    def __init__(self, message: str, turn: Turn, cause: str) -> None:
        super().__init__(message)
        self.turn = turn
        self.cause = cause


class RoleModel(Protocol):
    """A model in a role; carries the ledger, the limits and the repair ladder."""

    @property
    def role(self) -> str:
        """Name of the role: teacher, critic, reviser, ``judge:<name>``."""

    @property
    def model(self) -> str:
        """Logical name of the model, ``<backend>/<model>``."""

    @property
    def identity(self) -> str:
        """Hash-like name of the weights or endpoint; two roles with the same one share weights."""

    async def ask(self, ask: Ask) -> Answer:
        """Put a question.

        Raises:
            UnusableAnswerError: A schema was asked for and no rung of the ladder gave a valid answer, or the
                reply was empty or truncated.
            RequestError: The request itself can't be answered.
            EndpointError: No request can be answered; the run must stop.
            CapExceededError: A cap leaves no room for the request.
        """
