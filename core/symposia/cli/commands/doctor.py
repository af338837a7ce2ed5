"""`symposia doctor`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from symposia.cli.console import make_console, make_table, say, say_json
from symposia.cli.options import RUNS, AsJson, Runs, make_app, make_host

if TYPE_CHECKING:
    from symposia.host import Host
    from symposia.report.health import Check

app = make_app()

_MARKS = {"ok": ("✓", "green"), "absent": ("–", "yellow"), "lack": ("✗", "red")}


@app.command()
def doctor(
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="Check this recipe too: its parts, its keys and its endpoints.")
    ] = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Check this machine and say what to do about each lack. Exits with 0 if the main job can run.

    The main job is the recipe given with --recipe, else the shipped recipe `demo`. Keys are said to be present or
    not; their values are never shown.
    """
    from symposia.report.health import check_machine

    host = make_host()
    found = [*check_machine(host, runs), *_check_recipe(recipe or "demo", host, endpoints=recipe is not None)]
    able = not any(check.status == "lack" for check in found)
    if as_json:
        from dataclasses import asdict

        say_json({"able": able, "checks": [asdict(check) for check in found]})
    else:
        _print(found)
        say(
            f"`symposia run {recipe or 'demo'}` can run here."
            if able
            else "The main job can't run here yet; see ✗ above."
        )
    raise typer.Exit(0 if able else 1)


def _check_recipe(recipe: str, host: Host, *, endpoints: bool) -> list[Check]:
    from symposia.errors import SymposiaError
    from symposia.recipes import load_recipe
    from symposia.report.health import Check, check_recipe_endpoints, check_recipe_parts

    try:
        loaded = load_recipe(recipe, host=host)
    except SymposiaError as exc:
        return [Check("recipe", recipe, "lack", exc.message, exc.hint)]
    found = [Check("recipe", recipe, "ok", "valid"), *check_recipe_parts(loaded, host)]
    return [*found, *(asyncio.run(check_recipe_endpoints(loaded, host)) if endpoints else [])]


def _print(found: list[Check]) -> None:
    from rich.text import Text

    from symposia.report.text import one_line, plain

    table = make_table("", "about", "what", "found", whole=("", "about"))
    table.columns[2].max_width = 32
    area = ""
    for check in _together(found):
        mark, style = _MARKS[check.status]
        told = Text(plain(check.detail))
        if check.todo:
            told.append(f"\n→ {one_line(check.todo)}", style="bold" if check.status == "lack" else "dim")
        table.add_row(Text(mark, style=style), check.area if check.area != area else "", one_line(check.name), told)
        area = check.area
    make_console().print(table)


def _together(found: list[Check]) -> list[Check]:
    """Things that are absent in the same way, such as keys, in one entry."""
    from dataclasses import replace

    merged: list[Check] = []
    for check in found:
        last = merged[-1] if merged else None
        if last is not None and check.status == "absent" and replace(last, name=check.name) == check:
            merged[-1] = replace(last, name=f"{last.name}, {check.name}")
        else:
            merged.append(check)
    return merged
