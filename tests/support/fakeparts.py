"""A plugin that offers one small part of every kind, and a host that has no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from symposia.hookspecs import hookimpl
from symposia.host import Host
from symposia.offers import BackendParams, Offer, Params, TextOffer

OWN = (
    "graphs",
    "backends",
    "critics",
    "embedders",
    "exporters",
    "indexes",
    "judges",
    "novelty",
    "personas",
    "sources",
    "verifiers",
)

RECIPE = """\
# A recipe that ships with the fake plugin.
name: fake-qa
description: Questions for tests.
graph: fake
samples: 5
source: {use: rows, path: data.jsonl, size: 3}
roles:
  teacher: {model: scripted/echo, temperature: 0.9}   # who drafts
constitution: tiny
verifiers: [length]
novelty: null
exports: [jsonl]
"""

CONSTITUTION = """\
name: tiny
principles:
  - {id: true-answer, title: Truth, text: It is true., category: honesty, positive: "Yes.", negative: it lies}
  - id: short-answer
    title: Short
    text: The answer is short.
    category: style
    positive: Yes.
    negative: Well, you see.
"""


class RowsParams(Params):
    """Parameters of a source."""

    path: str | list[str]
    size: int = Field(default=1, ge=1)


class LengthParams(Params):
    """Parameters of a verifier.

    Attributes:
        min_words: Fewest words.
        unit: What is counted.
    """

    min_words: int = 1
    unit: Literal["words", "letters"] = "words"


class GraphParams(Params):
    """Parameters of a graph."""

    difficulty: str = "easy"


def nothing(params: Any, bench: Any) -> Any:
    """Stands for a build that a test does not reach."""
    raise AssertionError("not to be built here")


class FakeParts:
    """The plugin; texts are written into a folder of the test's."""

    __name__ = "fakeparts"

    def __init__(self, folder: Path) -> None:
        (folder / "recipes").mkdir(parents=True, exist_ok=True)
        (folder / "recipes" / "data.jsonl").write_text('{"text": "a"}\n')
        self.recipe = folder / "recipes" / "qa.yaml"
        self.recipe.write_text(RECIPE)
        self.constitution = folder / "tiny.yaml"
        self.constitution.write_text(CONSTITUTION)

    @hookimpl
    def register_graphs(self) -> list[Offer[Any]]:
        return [Offer("fake", nothing, "A graph.", GraphParams)]

    @hookimpl
    def register_sources(self) -> list[Offer[Any]]:
        return [Offer("rows", nothing, "Rows.", RowsParams), Offer("made-up", nothing, "Nothing.")]

    @hookimpl
    def register_backends(self) -> list[Offer[Any]]:
        return [
            Offer("scripted", nothing, "A function.", BackendParams),
            Offer("served", nothing, "A server.", BackendParams, extra="served", requires=("not_there_at_all",)),
        ]

    @hookimpl
    def register_verifiers(self) -> list[Offer[Any]]:
        return [Offer("length", nothing, "Length.", LengthParams), Offer("grounded", nothing, "Quotes.")]

    @hookimpl
    def register_critics(self) -> list[Offer[Any]]:
        return [Offer("constitution", nothing, "Principles.")]

    @hookimpl
    def register_judges(self) -> list[Offer[Any]]:
        return [Offer("rubric", nothing, "Rubric.")]

    @hookimpl
    def register_embedders(self) -> list[Offer[Any]]:
        return [Offer("wordllama", nothing, "Vectors.")]

    @hookimpl
    def register_indexes(self) -> list[Offer[Any]]:
        return [Offer("exact", nothing, "Exact.")]

    @hookimpl
    def register_personas(self) -> list[Offer[Any]]:
        return [Offer("everyday", nothing, "People.")]

    @hookimpl
    def register_exporters(self) -> list[Offer[Any]]:
        return [Offer("jsonl", nothing, "Lines.")]

    @hookimpl
    def register_constitutions(self) -> list[TextOffer]:
        return [TextOffer("tiny", self.constitution, "Two principles.")]

    @hookimpl
    def register_recipes(self) -> list[TextOffer]:
        return [TextOffer("qa", self.recipe, "Questions and answers.")]


def fake_host(folder: Path) -> Host:
    """A host with the fake plugin and no other."""
    return Host(block=OWN, extra=[FakeParts(folder)])
