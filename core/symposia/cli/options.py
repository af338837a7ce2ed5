"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from symposia.host import Host

__all__ = ["AsJson", "Overrides", "RecipeRef", "RunRef", "Runs", "Samples", "Seed", "make_app", "make_host"]

Runs = Annotated[
    Path,
    typer.Option("--runs", envvar="SYMPOSIA_RUNS", metavar="DIR", help="Folder of all runs.", show_default=True),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a value of the recipe, for example limits.in_flight=8; the value is read as YAML. Repeatable.",
    ),
]

Samples = Annotated[int | None, typer.Option("--samples", help="Number of ACCEPTED samples to make.", min=1)]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything that is drawn.", min=0)]
RunRef = Annotated[str, typer.Argument(help="Name of a run, the beginning of one, or its folder.")]
RecipeRef = Annotated[str, typer.Argument(help="Name of a shipped recipe, or path of a YAML file.")]

RUNS = Path("runs")
"""Where runs are kept unless said otherwise."""


def make_app() -> typer.Typer:
    """The application of one verb; its help is plain text, like that of the others."""
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


def make_host() -> Host:
    """All plugins of this installation."""
    from symposia.host import Host

    return Host()
