"""A method: what is drafted, and in which words a teacher and a reviser are asked for it.

The graph of a negotiation is the same for every method. A new one is a `Method` value: a draft schema, three prompt
templates and a chat view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

from symposia.contracts import Schema
from symposia.prompts import Prompt
from symposia.records import Draft, JsonObject, Message, Neighbour, Objection, Task, Verdict, content_hash

__all__ = ["PROMPTS", "Method", "Prompts", "Shot", "no_values"]

PROMPTS = Path(__file__).parent / "prompts"
"""Folder of the templates that ship with the graphs."""


@dataclass(frozen=True)
class Prompts:
    """The templates of a method.

    All of them may use ``task``, ``persona`` (or None), ``system`` (the drawn instruction, or an empty text) and
    the method's own values; ``propose`` also ``neighbours`` (texts of near duplicates), ``revise`` also ``draft``
    (the payload) and ``points`` (what stands against it, in words that all methods share).
    """

    system: Prompt
    propose: Prompt
    revise: Prompt

    @classmethod
    def read(cls, name: str, folder: Path = PROMPTS) -> Prompts:
        """``<name>.system.md``, ``<name>.propose.md`` and ``<name>.revise.md`` of a folder."""
        return cls(*(Prompt.read(folder / f"{name}.{part}.md") for part in ("system", "propose", "revise")))


@dataclass(frozen=True)
class Shot:
    """A worked example: the values that the propose template takes, and the draft they ask for."""

    values: Mapping[str, Any]
    payload: JsonObject


def no_values(task: Task) -> Mapping[str, Any]:
    """For a method whose prompts need nothing beside the task."""
    return {}


@dataclass(frozen=True)
class Method:
    """What a graph drafts, and how it asks for it.

    Attributes:
        name: Name of the graph.
        prompts: The templates.
        schema: The form of a draft for a task.
        chat: The chat view of an accepted payload.
        values: What the prompts may use beside the task.
        shots: Worked examples, shown as earlier turns of the chat.
        version: Changes whenever the method does something else with the same prompts.
        settings: Its parameters, as far as they decide content.
    """

    name: str
    prompts: Prompts
    schema: Callable[[Task], Schema]
    chat: Callable[[Task, JsonObject], tuple[Message, ...]]
    values: Callable[[Task], Mapping[str, Any]] = no_values
    shots: tuple[Shot, ...] = ()
    version: str = "1"
    settings: JsonObject = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything in the method that decides content."""
        prompts = (self.prompts.system, self.prompts.propose, self.prompts.revise, _points())
        texts = [prompt.text for prompt in prompts]
        shots = [[{key: str(value) for key, value in shot.values.items()}, shot.payload] for shot in self.shots]
        return content_hash([self.name, self.version, texts, shots, self.settings])

    def proposal(self, task: Task, neighbours: Sequence[Neighbour] = ()) -> tuple[Message, ...]:
        """The prompt that asks the teacher for a draft, with the near duplicates it must keep away from."""
        texts = list(dict.fromkeys(clipped(neighbour.text) for neighbour in neighbours))
        last = self.prompts.propose.render(**self._shared(task), neighbours=texts)
        return (*self._opening(task), {"role": "user", "content": last})

    def revision(
        self,
        task: Task,
        draft: Draft,
        objections: Sequence[Objection],
        verdicts: Sequence[Verdict],
        contestable: Collection[str],
    ) -> tuple[Message, ...]:
        """The prompt that asks the reviser to answer objections and failed verdicts."""
        points = _points().render(objections=objections, verdicts=verdicts, contestable=contestable)
        last = self.prompts.revise.render(**self._shared(task), draft=draft.payload, points=points)
        # Worked examples show a draft alone, so they fit only where nothing else is asked for.
        opening = (self._system(task),) if objections else self._opening(task)
        return (*opening, {"role": "user", "content": last})

    def _shared(self, task: Task) -> dict[str, Any]:
        return {"task": task, "persona": task.persona, "system": task.system or "", **self.values(task)}

    def _system(self, task: Task) -> Message:
        return {"role": "system", "content": self.prompts.system.render(**self._shared(task))}

    def _opening(self, task: Task) -> tuple[Message, ...]:
        messages = [self._system(task)]
        for shot in self.shots:
            asked = {"task": task, "persona": None, "system": "", "neighbours": [], **shot.values}
            messages.append({"role": "user", "content": self.prompts.propose.render(**asked)})
            messages.append({"role": "assistant", "content": orjson.dumps(shot.payload).decode()})
        return tuple(messages)


@lru_cache(maxsize=1)
def _points() -> Prompt:
    return Prompt.read(PROMPTS / "points.md")


LONGEST_NEIGHBOUR = 300
"""Characters of a near duplicate that are shown; enough to keep away from it."""


def clipped(text: str, longest: int = LONGEST_NEIGHBOUR) -> str:
    """The text, cut where it is longer than may be shown."""
    return text if len(text) <= longest else text[:longest].rstrip() + " …"
