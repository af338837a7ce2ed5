"""Grounded question and answer over passages, in the manner of Meta's synthetic-data-kit (2025).

The payload is ``{question, answer, quote}``; the quote is what the answer rests on, word for word from the passage.
Rows of the source need a field ``passage``; ``title`` and ``heading`` are shown where they are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from symposia.contracts import Schema
from symposia.draws import shuffled
from symposia.errors import SourceError
from symposia.records import JsonObject, JsonValue, Message, Record, Task
from symposia_graphs import QaParams
from symposia_graphs.chat import dialogue
from symposia_graphs.method import Method, Prompts, Shot
from symposia_graphs.passages import LONGEST_SENTENCE, sentences

__all__ = ["QaDraft", "qa_method"]


def _text(least: int, most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


class QaDraft(Record):
    """A question, its answer, and the words of the passage that the answer rests on."""

    question: Annotated[str, _text(10, 300)]
    answer: Annotated[str, _text(2, 1200)]
    quote: Annotated[str, _text(10, LONGEST_SENTENCE)]


WRITTEN = ("quote", "answer", "question")
"""Order in which a model writes the fields: a small one keeps to the quote when it has just written it."""


def qa_method(params: QaParams) -> Method:
    """The method for these parameters."""
    free = _free()

    def schema(task: Task) -> Schema:
        offered = _offered(task, params)
        return _choosing(free, offered) if offered else free

    def values(task: Task) -> Mapping[str, Any]:
        title, heading = task.seed.get("title") or "", task.seed.get("heading") or ""
        return {
            "passage": _passage(task),
            "title": title,
            "heading": "" if heading == title else heading,
            "offered": _offered(task, params) if params.offered else (),
        }

    return Method(
        name="qa",
        prompts=Prompts.read("qa"),
        schema=schema,
        chat=_chat,
        values=values,
        shots=tuple(_shot(shot, params) for shot in SHOTS[: params.shots]),
        settings=params.model_dump(mode="json"),
    )


def _shot(shot: Shot, params: QaParams) -> Shot:
    """The example as the prompt shows it: where few sentences are offered, its quote is the one."""
    offered = (shot.payload["quote"],) if params.offered else ()
    return Shot({**shot.values, "title": "", "heading": "", "offered": offered}, shot.payload)


def _offered(task: Task, params: QaParams) -> tuple[str, ...]:
    """The sentences that may be quoted, in their order in the passage; another draw for every task."""
    if params.quote == "free":
        return ()
    whole, most = sentences(_passage(task)), params.offered
    if not most or len(whole) <= most:
        return whole
    drawn = shuffled(len(whole), task.number, "qa", task.source_id)[:most]
    return tuple(whole[place] for place in sorted(drawn))


def _passage(task: Task) -> str:
    passage = task.seed.get("passage")
    if not isinstance(passage, str) or not passage.strip():
        raise SourceError(
            f"task {task.number}: row {task.source_id or 'without a name'} has no field 'passage'",
            "graph 'qa' asks about passages: use the source 'documents', or name the column 'passage'",
        )
    return passage


QUESTION = r'^[^"\\\n.!?。！？؟]{9,160}[?？؟]$'
ANSWER = r'^([^"\\\n.!?。！？]|[0-9]\.[0-9]){2,200}[.!。！]$'
# One sentence each; a point may stand in a number. Some servers copy a pattern's characters into the JSON text as
# they are, so quotes and backslashes stay out of it.


def _free() -> Schema:
    schema = Schema.of(QaDraft)
    properties: Any = schema.body["properties"]
    ordered: JsonObject = {name: properties[name] for name in WRITTEN}
    return Schema(schema.name, {**schema.body, "properties": ordered, "required": list(WRITTEN)}, schema.read)


def _choosing(free: Schema, offered: tuple[str, ...]) -> Schema:
    """Offered sentences are the only quotes; the question ends as a question, the answer as a sentence.

    The shapes are for the server that constrains decoding; an answer that comes without it may differ.
    """
    properties: JsonObject = {
        "quote": {"type": "string", "enum": list(offered)},
        "answer": {"type": "string", "pattern": ANSWER},
        "question": {"type": "string", "pattern": QUESTION},
    }

    def read(value: JsonValue) -> JsonValue:
        draft = free.read(value)
        if isinstance(draft, dict) and draft["quote"] not in offered:
            raise ValueError("quote: it is none of the passage's sentences")
        return draft

    return Schema(free.name, {**free.body, "properties": properties}, read)


def _chat(task: Task, payload: JsonObject) -> tuple[Message, ...]:
    return dialogue(task, payload["question"], payload["answer"])


SHOTS: tuple[Shot, ...] = (
    Shot(
        {
            "passage": "Bees live together in hives. A worker bee lives for about six weeks in summer. Bees keep "
            "the hive warm in winter by shivering their wings.",
        },
        {
            "quote": "Bees keep the hive warm in winter by shivering their wings.",
            "answer": "Bees keep the hive warm by shivering their wings.",
            "question": "How do bees keep their hive warm in winter?",
        },
    ),
    Shot(
        {
            "passage": "The violin has four strings. Antonio Stradivari made violins in the Italian town of "
            "Cremona. Several hundred of his instruments survive today.",
        },
        {
            "quote": "Antonio Stradivari made violins in the Italian town of Cremona.",
            "answer": "Antonio Stradivari made his violins in the Italian town of Cremona.",
            "question": "Where did Antonio Stradivari make his violins?",
        },
    ),
    Shot(
        {
            "passage": "Bread dough needs time. It rises because yeast gives off gas while it feeds on the sugars "
            "of the flour. Warm dough rises faster than cold dough.",
        },
        {
            "quote": "Warm dough rises faster than cold dough.",
            "answer": "Yes, warm dough rises faster than cold dough.",
            "question": "Does warm bread dough rise faster than cold dough?",
        },
    ),
)
"""Worked examples, written for this project."""
