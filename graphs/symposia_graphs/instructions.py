"""The plain negotiation: an instruction and a good response to it. The payload is ``{instruction, response}``.

Where the recipe has a source, the fields of the drawn row are shown to the teacher as material.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from symposia.contracts import Schema
from symposia.records import JsonObject, Message, Record, Task
from symposia_graphs import InstructionParams
from symposia_graphs.chat import dialogue
from symposia_graphs.method import Method, Prompts

__all__ = ["InstructionDraft", "instruction_method"]


class InstructionDraft(Record):
    """What a user asks, and what an assistant answers."""

    instruction: Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=1500)]
    response: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def instruction_method(params: InstructionParams) -> Method:
    """The method for these parameters."""
    form = Schema.of(InstructionDraft)

    def values(task: Task) -> Mapping[str, Any]:
        material = {key: str(value)[: params.max_field_chars] for key, value in task.seed.items() if value}
        return {"subject": params.subject, "material": material}

    return Method(
        name="negotiate",
        prompts=Prompts.read("negotiate"),
        schema=lambda task: form,
        chat=_chat,
        values=values,
        settings=params.model_dump(mode="json"),
    )


def _chat(task: Task, payload: JsonObject) -> tuple[Message, ...]:
    return dialogue(task, payload["instruction"], payload["response"])
