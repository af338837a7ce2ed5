"""`symposia models`."""

from __future__ import annotations

from typing import Annotated

import typer

from symposia.cli.console import make_console, make_table, say, say_json, show_path
from symposia.cli.options import AsJson, make_app

app = make_app()

Name = Annotated[str, typer.Argument(help="Name of a model; `symposia models ls` lists them.")]


@app.callback()
def models() -> None:
    """List, fetch and remove the models that run on this machine."""


@app.command("ls")
def list_models(as_json: AsJson = False) -> None:
    """List the models that can be fetched, and where those lie that were."""
    from symposia.models import KNOWN, find

    rows = []
    for name, weights in KNOWN.items():
        path = find(name)
        rows.append(
            {
                "name": name,
                "model": f"local/{name}",
                "summary": weights.summary,
                "size_bytes": weights.size,
                "licence": weights.licence,
                "path": str(path) if path else None,
            }
        )
    if as_json:
        say_json(rows)
        return
    table = make_table("model", "what it is", "size", "licence", "where", right=("size",), whole=("model", "size"))
    for row, weights in zip(rows, KNOWN.values(), strict=True):
        where = row["path"] or f"not here: symposia models pull {row['name']}"
        table.add_row(
            str(row["model"]), weights.summary, f"{weights.size / 1e6:.0f} MB", weights.licence, str(where)
        )
    make_console().print(table)


@app.command()
def pull(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Fetch it again even if it is here.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a model, once; its checksum is verified."""
    from symposia.cli.pulling import pull_with_progress

    path = pull_with_progress(name, force=force)
    if as_json:
        say_json({"name": name, "path": str(path)})
    else:
        say(f"{name} is at {show_path(path)}; recipes call it local/{name}")


@app.command("rm")
def remove_model(name: Name, as_json: AsJson = False) -> None:
    """Remove a model's weights from this machine."""
    from symposia.models import remove

    removed = remove(name)
    if as_json:
        say_json({"name": name, "removed": removed})
    else:
        say(f"removed {name}" if removed else f"{name} was not here")
