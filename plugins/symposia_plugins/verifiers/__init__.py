"""Built-in verifiers: four of the form, and one of the content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Verifier

__all__ = [
    "FieldRule",
    "GroundedParams",
    "LeakParams",
    "LengthParams",
    "RefusalParams",
    "SchemaParams",
    "WordBounds",
    "register_verifiers",
]


class FieldRule(symposia.Params):
    """What one field of a draft must be.

    Attributes:
        type: Kind of value.
        required: Whether the field must be there.
        min_length: Least length: characters of a text without blank space around it, items of a list.
        max_length: Greatest length, counted the same way.
        choices: The only values allowed; any when empty.
    """

    type: Literal["text", "integer", "number", "boolean", "list", "object"] = "text"
    required: bool = True
    min_length: int = Field(default=1, ge=0)
    max_length: int | None = Field(default=None, ge=1)
    choices: tuple[str, ...] = ()


def _rules(value: Any) -> Any:
    """A list of names is short for required, filled texts."""
    if isinstance(value, Iterable) and not isinstance(value, str | dict):
        return {name: {} for name in value}
    return value


class SchemaParams(symposia.Params):
    """Parameters of the verifier ``schema``.

    Attributes:
        fields: A rule for each field, or a list of fields that must be filled texts. Without any, every text at
            the top of the draft must be filled.
        closed: Whether other fields are refused.
    """

    fields: Annotated[dict[str, FieldRule], BeforeValidator(_rules)] = Field(default_factory=dict)
    closed: bool = False


class WordBounds(symposia.Params):
    """Least and greatest number of words; at least one of them.

    Attributes:
        min_words: Least number.
        max_words: Greatest number.
    """

    min_words: int | None = Field(default=None, ge=0)
    max_words: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> WordBounds:
        low, high = self.min_words, self.max_words
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_words ({low}) must be at most max_words ({high})")
        return self

    @property
    def bounded(self) -> bool:
        """Whether there is a bound at all."""
        return self.min_words is not None or self.max_words is not None


class LengthParams(WordBounds):
    """Parameters of the verifier ``length``; the bounds at the top are for the whole draft.

    A word is a run of letters and digits, with apostrophes inside; each Chinese or Japanese character and each
    Korean syllable counts as one.

    Attributes:
        fields: Bounds for single fields.
    """

    fields: dict[str, WordBounds] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _some_bound(self) -> LengthParams:
        if not self.bounded and not any(bounds.bounded for bounds in self.fields.values()):
            raise ValueError("no bound is given: set min_words or max_words, for the whole or under `fields`")
        return self


class RefusalParams(symposia.Params):
    """Parameters of the verifier ``refusal``.

    Attributes:
        fields: Fields that answer something; when empty, all texts but those called question, instruction, prompt,
            input, quote or passage, and the messages of user and system.
    """

    fields: tuple[str, ...] = ()


class LeakParams(symposia.Params):
    """Parameters of the verifier ``leak``.

    Attributes:
        fields: Fields that are searched; all texts when empty.
    """

    fields: tuple[str, ...] = ()


class GroundedParams(symposia.Params):
    """Parameters of the verifier ``grounded``.

    Attributes:
        quote_field: Field with the quote.
        answer_field: Field with the answer.
        question_field: Field with the question.
        passage_field: Field of the task's source row with the passage.
        context_fields: Further fields of that row whose words, names and numbers count as the passage's, for
            example ``[title, heading]``; never for quotes.
        min_quote_words: Least number of words of a quote.
        min_support: Least share of the answer's content words that must occur in the passage.
    """

    quote_field: str = "quote"
    answer_field: str = "answer"
    question_field: str = "question"
    passage_field: str = "passage"
    context_fields: tuple[str, ...] = ()
    min_quote_words: int = Field(default=5, ge=1)
    min_support: float = Field(default=0.5, ge=0, le=1)


def _build_schema(params: SchemaParams, bench: symposia.BuildContext) -> Verifier:
    from symposia_plugins.verifiers.schema import SchemaVerifier

    return SchemaVerifier(params)


def _build_length(params: LengthParams, bench: symposia.BuildContext) -> Verifier:
    from symposia_plugins.verifiers.length import LengthVerifier

    return LengthVerifier(params)


def _build_refusal(params: RefusalParams, bench: symposia.BuildContext) -> Verifier:
    from symposia_plugins.verifiers.refusal import RefusalVerifier

    return RefusalVerifier(params)


def _build_leak(params: LeakParams, bench: symposia.BuildContext) -> Verifier:
    from symposia_plugins.verifiers.leak import LeakVerifier

    return LeakVerifier(params)


def _build_grounded(params: GroundedParams, bench: symposia.BuildContext) -> Verifier:
    from symposia_plugins.verifiers.grounded import GroundedVerifier

    return GroundedVerifier(params)


@symposia.hookimpl
def register_verifiers() -> list[symposia.Offer[Verifier]]:
    """Offer ``schema``, ``length``, ``refusal``, ``leak`` and ``grounded``."""
    return [
        symposia.Offer("schema", _build_schema, "Fields are there, filled, and of the right kind.", SchemaParams),
        symposia.Offer("length", _build_length, "Number of words, of the whole or of fields.", LengthParams),
        symposia.Offer("refusal", _build_refusal, "No answer begins with a refusal.", RefusalParams),
        symposia.Offer("leak", _build_leak, "Nothing of the prompt or the chat template shows.", LeakParams),
        symposia.Offer(
            "grounded",
            _build_grounded,
            "The quote stands verbatim in the passage and supports the answer, with its numbers and names.",
            GroundedParams,
        ),
    ]
