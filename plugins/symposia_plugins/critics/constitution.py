"""Holds a draft against a constitution (Bai et al. 2022, "Constitutional AI"), at once or principle by principle.

The system prompt holds the constitution and nothing of the sample, so it is byte-identical from sample to sample
and a server's prefix cache keeps it. One by one, the sample stands first and the principle last: all principles
then share the sample's part of the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symposia.contracts import Ask, RoleModel, UnusableAnswerError
from symposia.prompts import Prompt
from symposia.records import (
    Constitution,
    Critique,
    Draft,
    JsonValue,
    Message,
    Objection,
    Rebuttal,
    Ruling,
    Task,
    Turn,
    Verdict,
    content_hash,
)
from symposia_plugins.critics import ConstitutionParams
from symposia_plugins.critics.claims import Claim, sift
from symposia_plugins.critics.replies import (
    Outcome,
    objection_schema,
    objections_in,
    ruling_schema,
    rulings_in,
    smaller_objection_schema,
    smaller_ruling_schema,
)
from symposia_plugins.critics.single import SINGLE_PROMPTS, check_each
from symposia_plugins.material import draft_text, findings_text, source_texts

__all__ = ["ConstitutionCritic"]

_HERE = Path(__file__).parent
_SYSTEM = Prompt.read(_HERE / "constitution_system.md")
_DRAFT = Prompt.read(_HERE / "constitution_draft.md")
_RULE = Prompt.read(_HERE / "constitution_rule.md")
_VERSION = 1


class ConstitutionCritic:
    """The built-in critic.

    What it claims is checked before it counts: an objection whose quote does not stand in the draft (white space
    aside) or whose principle is not in the constitution is discarded and counted, objections to the same principle
    are merged into one, and no objection weighs more than its principle.

    Args:
        params: How it asks.
    """

    def __init__(self, params: ConstitutionParams) -> None:
        self._params = params
        self._systems: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """Hash of prompts, parameters and version."""
        prompts: list[JsonValue] = [prompt.text for prompt in (_SYSTEM, _DRAFT, _RULE, *SINGLE_PROMPTS)]
        return content_hash(["constitution", _VERSION, prompts, self._params.model_dump(mode="json")])

    async def criticise(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        verdicts: Sequence[Verdict],
        model: RoleModel,
    ) -> tuple[Critique, tuple[Turn, ...]]:
        """One objection for each violated principle, with a verbatim quote.

        One by one, a principle about which no answer could be read makes the critique unscored; the objections to
        the others are kept.

        Raises:
            RequestError: A request can't be answered.
            EndpointError: No request can be answered.
            CapExceededError: A cap leaves no room for a request.
        """
        params = self._params
        shown = _DRAFT.render(
            source=source_texts(task),
            draft=draft_text(draft),
            findings=findings_text(verdicts, {"fail"}),
            request=not params.per_principle,
        )
        if params.per_principle:
            claims, unread, turns = await check_each(shown, draft, task, constitution, model, params)
            why = f"no readable answer about: {', '.join(unread)}" if unread else None
            return self._critique(draft, constitution, claims, why), turns
        ids = tuple(principle.id for principle in constitution.principles)
        ask = Ask(
            task=task.number,
            round=draft.round,
            kind="criticise",
            messages=self._messages(constitution, shown),
            schema=objection_schema(ids, params.max_objections, params.max_chars),
            smaller=smaller_objection_schema(ids, params.max_chars),
        )
        try:
            answer = await model.ask(ask)
        except UnusableAnswerError as exc:
            return Critique(round=draft.round, unscored=f"{exc.cause}: {exc.message}"), (exc.turn,)
        return self._critique(draft, constitution, objections_in(answer.value)), (answer.turn,)

    async def rule(
        self,
        draft: Draft,
        task: Task,
        constitution: Constitution,
        contested: Sequence[tuple[Objection, Rebuttal]],
        model: RoleModel,
    ) -> tuple[tuple[Ruling, ...], tuple[Turn, ...]]:
        """Withdraw or uphold each contested objection; what can't be read is upheld.

        Raises:
            RequestError: The request can't be answered.
            EndpointError: No request can be answered.
            CapExceededError: A cap leaves no room for the request.
        """
        if not contested:
            return (), ()
        ids = tuple(objection.id for objection, _ in contested)
        points = [(objection, rebuttal.argument) for objection, rebuttal in contested]
        shown = _RULE.render(source=source_texts(task), draft=draft_text(draft), points=points)
        ask = Ask(
            task=task.number,
            round=draft.round,
            kind="rule",
            messages=self._messages(constitution, shown),
            schema=ruling_schema(ids, self._params.max_chars),
            smaller=smaller_ruling_schema(ids),
        )
        try:
            answer = await model.ask(ask)
        except UnusableAnswerError as exc:
            reason = f"The critic's answer could not be read ({exc.cause})."
            return tuple(_ruling(rebuttal, None, reason) for _, rebuttal in contested), (exc.turn,)
        said = rulings_in(answer.value)
        rulings = (_ruling(rebuttal, *said.get(objection.id, (None, ""))) for objection, rebuttal in contested)
        return tuple(rulings), (answer.turn,)

    def _messages(self, constitution: Constitution, shown: str) -> list[Message]:
        system = self._systems.get(constitution.hash)
        if system is None:
            params = self._params
            system = _SYSTEM.render(
                principles=constitution.principles, examples=params.examples, most=params.max_objections
            )
            self._systems[constitution.hash] = system
        return [{"role": "system", "content": system}, {"role": "user", "content": shown}]

    def _critique(
        self, draft: Draft, constitution: Constitution, claims: Sequence[Claim], unscored: str | None = None
    ) -> Critique:
        kept, discarded = sift(claims, draft, constitution, self._params.max_objections)
        return Critique(round=draft.round, objections=kept, discarded=discarded, unscored=unscored)


def _ruling(rebuttal: Rebuttal, outcome: Outcome | None, reason: str) -> Ruling:
    """A ruling on a rebuttal; without an outcome the objection is upheld."""
    return Ruling(objection=rebuttal.objection, round=rebuttal.round, outcome=outcome or "upheld", reason=reason)
