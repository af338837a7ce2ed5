"""Revise: the reviser fixes or contests every open objection, and mends what verifiers refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from langgraph.runtime import Runtime

from symposia.contracts import Answer, Ask, NegotiateContext, Schema, UnusableAnswerError
from symposia.records import Draft, JsonObject, JsonValue, Objection, Rebuttal
from symposia_graphs.method import Method
from symposia_graphs.nodes.calls import NegotiateNode, payload_of, settles_failures, shown, tell
from symposia_graphs.ranking import failed
from symposia_graphs.state import NegotiateState, record

__all__ = ["revise", "revision_schema"]

LONGEST_ARGUMENT = 400
"""Characters of an argument: a bound keeps a small model from never coming to an end."""


def revise(method: Method) -> NegotiateNode:
    """The node in which the reviser answers, in the words of a method.

    Every open objection gets an answer: *fix* closes it for the new draft, *contest* leaves it to the critic. What
    a person objected, what was upheld before and what a verifier refused can't be contested. When everything is
    contested, or the new payload equals the old one, the draft stands as it was.
    """

    @settles_failures("revise")
    async def revise(state: NegotiateState, runtime: Runtime[NegotiateContext]) -> NegotiateState:
        context = runtime.context
        task, draft = state["ticket"].task, state["drafts"][-1]
        so_far = record(state, "")
        objections = so_far.open_objections(draft.round)
        refused = failed(so_far, draft.round)
        contestable = _contestable(state, objections, context)
        of_draft = method.schema(task)
        ask = Ask(
            task=task.number,
            round=len(state["drafts"]),
            kind="revise",
            messages=method.revision(task, draft, objections, shown(refused), contestable),
            schema=revision_schema(of_draft, objections, contestable) if objections else of_draft,
            smaller=of_draft if objections else None,
            index=sum(turn.kind == "revise" and turn.round == len(state["drafts"]) for turn in state["turns"]),
        )
        try:
            answer = await context.roles["reviser"].ask(ask)
        except UnusableAnswerError as exc:
            tell(state, context, (exc.turn,))
            best = state.get("best_round")
            return {"turns": (exc.turn,), "ending": "no_gain", "best_round": draft.round if best is None else best}
        payload, answers = _read(answer, of_draft, objections)
        update = _answered(state, payload, answers, bool(refused))
        update["turns"] = (answer.turn,)
        context.on_turn(task.number, answer.turn, update["drafts"][0] if update.get("drafts") else None)
        return update

    return revise


def _contestable(
    state: NegotiateState, objections: Sequence[Objection], context: NegotiateContext
) -> Collection[str]:
    """Ids that may be contested, in order: there must be a critic to rule, and no ruling yet."""
    if context.critic is None:
        return ()
    upheld = {ruling.objection for ruling in state["rulings"]}
    return tuple(o.id for o in objections if o.id not in upheld and not o.raised_by.startswith("human:"))


def revision_schema(of_draft: Schema, objections: Sequence[Objection], contestable: Collection[str]) -> Schema:
    """The form of a revision: an answer under the id of every objection, then the whole new draft."""
    answers: JsonObject = {o.id: _answer_schema(o.id in contestable) for o in objections}
    body: JsonObject = {
        "type": "object",
        "properties": {
            "answers": {
                "type": "object",
                "properties": answers,
                "required": list(answers),
                "additionalProperties": False,
            },
            "draft": of_draft.body,
        },
        "required": ["answers", "draft"],
        "additionalProperties": False,
    }
    return Schema(f"{of_draft.name}_revision", body, _reader(of_draft, list(answers), contestable))


def _answer_schema(contestable: bool) -> JsonObject:
    actions: list[JsonValue] = ["fix", "contest"] if contestable else ["fix"]
    return {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": actions},
            "argument": {"type": "string", "maxLength": LONGEST_ARGUMENT},
        },
        "required": ["action", "argument"],
        "additionalProperties": False,
    }


def _reader(of_draft: Schema, ids: list[str], contestable: Collection[str]) -> Callable[[JsonValue], JsonValue]:
    def read(value: JsonValue) -> JsonValue:
        if not isinstance(value, dict) or not isinstance(value.get("answers"), dict) or "draft" not in value:
            raise ValueError("an object with 'answers' and 'draft' is wanted")
        given: Any = value["answers"]
        answers: JsonObject = {id_: _one_answer(id_, given.get(id_), id_ in contestable) for id_ in ids}
        return {"answers": answers, "draft": of_draft.read(value["draft"])}

    return read


def _one_answer(id_: str, given: Any, contestable: bool) -> JsonObject:
    if not isinstance(given, dict) or given.get("action") not in ("fix", "contest"):
        raise ValueError(f"answers.{id_}: an action 'fix' or 'contest' is wanted")
    if given["action"] == "contest" and not contestable:
        raise ValueError(f"answers.{id_}: this objection can't be contested, only fixed")
    return {"action": given["action"], "argument": str(given.get("argument") or "")[:LONGEST_ARGUMENT]}


def _read(answer: Answer, of_draft: Schema, objections: Sequence[Objection]) -> tuple[JsonObject, dict[str, Any]]:
    """The new payload, and an answer for each objection; a reply that has none fixes them all."""
    if answer.used == of_draft:
        return payload_of(answer.value), {o.id: {"action": "fix", "argument": ""} for o in objections}
    value: Any = answer.value
    return payload_of(value["draft"]), value["answers"]


def _answered(state: NegotiateState, payload: JsonObject, answers: dict[str, Any], refused: bool) -> NegotiateState:
    before = state["drafts"][-1]
    after = Draft(round=before.round + 1, author="reviser", payload=payload)
    all_contested = bool(answers) and all(answer["action"] == "contest" for answer in answers.values())
    stands = after.hash == before.hash or (all_contested and not refused)
    round_ = before.round if stands else after.round
    rebuttals = tuple(
        Rebuttal(objection=id_, round=round_, action=answer["action"], argument=answer["argument"])
        for id_, answer in answers.items()
    )
    if stands:
        return {"rebuttals": rebuttals}
    fixed = {id_ for id_, answer in answers.items() if answer["action"] == "fix"}
    return {
        "drafts": (after,),
        "rebuttals": rebuttals,
        "objections": tuple(
            objection.model_copy(update={"status": "fixed"})
            for objection in state["objections"]
            if objection.id in fixed
        ),
    }
