"""`symposia new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symposia.cli.console import say, say_json
from symposia.cli.options import AsJson, make_app, make_host

app = make_app()


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the recipe; NAME.yaml is written here.")],
    like: Annotated[str, typer.Option("--from", metavar="RECIPE", help="The shipped recipe to start from.")] = "qa",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a commented recipe to start from."""
    from symposia.errors import UsageError
    from symposia.recipes.scaffold import scaffold

    stem = name.removesuffix(".yaml").removesuffix(".yml")
    path = Path(stem + ".yaml")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "choose another name, or replace it with --force")
    text = scaffold(path.stem, like, make_host())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if as_json:
        say_json({"path": str(path), "from": like})
        return
    say(f"wrote {path}")
    say(f"look at it, change it, then: symposia run {path}")
