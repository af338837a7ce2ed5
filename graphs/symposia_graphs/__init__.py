"""Agent graphs: how roles negotiate a sample.

Importing this package imports nothing heavy; langgraph comes in when a graph is built.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Graph

__all__ = [
    "InstructionParams",
    "QaParams",
    "register_constitutions",
    "register_graphs",
    "register_recipes",
]

_HERE = Path(__file__).parent


class InstructionParams(symposia.Params):
    """Parameters of the graph ``negotiate``.

    Attributes:
        subject: What the samples shall be about; anything when empty.
        max_field_chars: Characters of one field of a source row that are shown to the teacher.
    """

    subject: str = ""
    max_field_chars: int = Field(default=6000, ge=1)


class QaParams(symposia.Params):
    """Parameters of the graph ``qa``.

    Attributes:
        quote: ``free`` lets the teacher copy any span; ``choose`` offers the passage's sentences as the only values
            of the quote, so that even a very small model can't misquote.
        offered: With ``choose``, how many of the sentences are offered, drawn anew for every task, so that a model
            does not ask about the same one each time; all of them for 0.
        shots: Worked examples shown to the teacher.
    """

    quote: Literal["free", "choose"] = "free"
    offered: int = Field(default=0, ge=0)
    shots: int = Field(default=2, ge=0, le=3)


def _negotiate(params: InstructionParams, bench: symposia.BuildContext) -> Graph:
    from symposia_graphs.graph import NegotiationGraph
    from symposia_graphs.instructions import instruction_method

    return NegotiationGraph(instruction_method(params), bench.folder)


def _qa(params: QaParams, bench: symposia.BuildContext) -> Graph:
    from symposia_graphs.graph import NegotiationGraph
    from symposia_graphs.qa import qa_method

    return NegotiationGraph(qa_method(params), bench.folder)


@symposia.hookimpl
def register_graphs() -> list[symposia.Offer[Graph]]:
    """The graphs that ship with Symposia."""
    return [
        symposia.Offer("negotiate", _negotiate, "An instruction and a response, argued about.", InstructionParams),
        symposia.Offer("qa", _qa, "A question about a passage, its answer and the quote for it.", QaParams),
    ]


@symposia.hookimpl
def register_constitutions() -> list[symposia.TextOffer]:
    """The constitutions that ship with Symposia."""
    folder = _HERE / "constitutions"
    return [
        symposia.TextOffer(
            "helpful-short", folder / "helpful-short.yaml", "12 principles that fit every critique."
        ),
        symposia.TextOffer("comprehensive", folder / "comprehensive.yaml", "More than 50 principles."),
    ]


@symposia.hookimpl
def register_recipes() -> list[symposia.TextOffer]:
    """The recipes that ship with Symposia."""
    folder = _HERE / "recipes"
    return [
        symposia.TextOffer("demo", folder / "demo.yaml", "Three questions on lighthouses from a tiny local model."),
        symposia.TextOffer(
            "negotiate", folder / "negotiate.yaml", "Instructions and responses for everyday people."
        ),
        symposia.TextOffer("qa", folder / "qa.yaml", "Questions and answers grounded in your documents."),
    ]
