"""Scores a draft by weighted criteria, each on a short scale of whole numbers.

The native score is the weighted mean of the criteria; one with a negative weight counts mirrored, so that a low
score on it is a good one. A reply that can't be read is unscored, never a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from symposia.contracts import Ask, RoleModel, Schema, UnusableAnswerError
from symposia.prompts import Prompt
from symposia.records import (
    CriterionScore,
    Draft,
    JsonObject,
    JsonValue,
    Judgment,
    Message,
    Task,
    Turn,
    Verdict,
    content_hash,
    unit_score,
)
from symposia_plugins.judges import RubricParams
from symposia_plugins.material import draft_text, findings_text, source_texts

__all__ = ["RubricJudge"]

_HERE = Path(__file__).parent
_SYSTEM = Prompt.read(_HERE / "rubric_system.md")
_DRAFT = Prompt.read(_HERE / "rubric_draft.md")
_VERSION = 1


class _Reply(BaseModel):
    scores: dict[str, int]
    reason: str = ""


class RubricJudge:
    """One member of the panel; the recipe's name for it is that of its role, ``judge:<name>``.

    Args:
        params: Criteria and scale.
    """

    def __init__(self, params: RubricParams) -> None:
        self._params = params
        self._system = _SYSTEM.render(criteria=params.criteria, low=params.low, high=params.high)
        self._schema = Schema("rubric", _body(params), self._read)

    @property
    def fingerprint(self) -> str:
        """Hash of prompts, parameters and version."""
        prompts: list[JsonValue] = [_SYSTEM.text, _DRAFT.text]
        return content_hash(["rubric", _VERSION, prompts, self._params.model_dump(mode="json")])

    async def judge(
        self, draft: Draft, task: Task, verdicts: Sequence[Verdict], model: RoleModel
    ) -> tuple[Judgment, tuple[Turn, ...]]:
        """Score one draft; a reply that can't be read gives an unscored judgment.

        Raises:
            RequestError: The request can't be answered.
            EndpointError: No request can be answered.
            CapExceededError: A cap leaves no room for the request.
        """
        shown = _DRAFT.render(
            source=source_texts(task),
            draft=draft_text(draft),
            findings=findings_text(verdicts, {"pass", "fail"}),
        )
        messages: list[Message] = [
            {"role": "system", "content": self._system},
            {"role": "user", "content": shown},
        ]
        name = model.role.removeprefix("judge:")
        try:
            answer = await model.ask(Ask(task.number, draft.round, "judge", messages, self._schema))
        except UnusableAnswerError as exc:
            why = f"{exc.cause}: {exc.message}"
            return Judgment(judge=name, model=model.model, round=draft.round, unscored=why), (exc.turn,)
        return self._judgment(answer.value, name, model.model, draft.round), (answer.turn,)

    def _judgment(self, value: JsonValue, name: str, model: str, round_: int) -> Judgment:
        reply = _Reply.model_validate(value)
        low, high = self._params.low, self._params.high
        criteria = tuple(
            CriterionScore(criterion=one.name, native=reply.scores[one.name], weight=one.weight)
            for one in self._params.criteria
        )
        weights = sum(abs(one.weight) for one in criteria)
        total = sum(
            abs(one.weight) * (one.native if one.weight > 0 else low + high - one.native) for one in criteria
        )
        native = min(max(total / weights, low), high)
        return Judgment(
            judge=name,
            model=model,
            round=round_,
            score=unit_score(native, low, high),
            native=native,
            scale=(low, high),
            rationale=reply.reason,
            criteria=criteria,
        )

    def _read(self, value: JsonValue) -> JsonValue:
        if not isinstance(value, Mapping):
            raise ValueError("the answer must be a JSON object")
        scores = value.get("scores")
        if not isinstance(scores, Mapping):
            raise ValueError("scores: must be an object with a number for each criterion")
        read: dict[str, JsonValue] = {}
        for criterion in self._params.criteria:
            if criterion.name not in scores:
                raise ValueError(f"scores.{criterion.name}: is missing")
            read[criterion.name] = self._on_scale(criterion.name, scores[criterion.name])
        reason = value.get("reason", "")
        return {"scores": read, "reason": reason if isinstance(reason, str) else ""}

    def _on_scale(self, name: str, value: JsonValue) -> int:
        number = _whole(value)
        if number is None or not self._params.low <= number <= self._params.high:
            scale = f"{self._params.low} to {self._params.high}"
            raise ValueError(f"scores.{name}: {value!r} is no whole number from {scale}")
        return number


def _body(params: RubricParams) -> JsonObject:
    """Scores first, then the reason: asked to reason first, models crowd their scores together."""
    scale: list[JsonValue] = list(range(params.low, params.high + 1))
    score: JsonObject = {"type": "integer", "enum": scale}
    names: list[JsonValue] = [criterion.name for criterion in params.criteria]
    scores: JsonObject = {
        "type": "object",
        "properties": {criterion.name: score for criterion in params.criteria},
        "required": names,
        "additionalProperties": False,
    }
    reason: JsonObject = {"type": "string"}
    if params.max_chars is not None:
        reason["maxLength"] = params.max_chars
    return {
        "type": "object",
        "properties": {"scores": scores, "reason": reason},
        "required": ["scores", "reason"],
        "additionalProperties": False,
    }


def _whole(value: JsonValue) -> int | None:
    """A whole number, also one written as text or with a zero fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 9:
        return int(value)
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if isinstance(value, int | float) else None
