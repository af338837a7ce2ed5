"""`symposia export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from symposia.cli.console import say, say_json, show_path
from symposia.cli.options import RUNS, AsJson, RunRef, Runs, make_app, make_host

app = make_app()


@app.command()
def export(
    run: RunRef,
    form: Annotated[
        str, typer.Option("--format", help="Name of an exporter; `symposia plugins --kind exporter`.")
    ] = "jsonl",
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; inside the run folder when left out.")
    ] = None,
    params: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the exporter; the value is read as YAML."),
    ] = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Write the accepted samples of a run in a format."""
    from symposia.contracts import Exporter
    from symposia.errors import UsageError
    from symposia.host import Workbench
    from symposia.recipes.layers import Layers, parse_override
    from symposia.store import RunStore, find_run

    folder = find_run(runs, run)
    given = Layers()
    for text in params or ():
        keys, value = parse_override(text)
        given.set(keys, value, f"--set {'.'.join(keys)}")
    host = make_host()
    exporter = cast(Exporter, host.build("exporter", form, given.value, Workbench(host, Path.cwd(), folder)))
    path = out or folder / f"dataset-{form}{exporter.suffix}"
    if path.is_dir():
        raise UsageError(
            f"--out {path} is a folder", f"name a file, for example {path / ('dataset' + exporter.suffix)}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: there is no folder {path.parent}", "make it first")
    with RunStore.open(folder) as store:
        rows = exporter.write(store.samples(), path)
    if as_json:
        say_json({"rows": rows, "path": str(path), "format": form})
    else:
        say(f"wrote {rows} sample{'' if rows == 1 else 's'} to {show_path(path)}")
