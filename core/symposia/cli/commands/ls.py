"""`symposia ls`."""

from __future__ import annotations

from symposia.cli.console import make_console, make_table, say, say_json, show_path
from symposia.cli.options import RUNS, AsJson, Runs, make_app

app = make_app()


@app.command()
def ls(runs: Runs = RUNS, as_json: AsJson = False) -> None:
    """List the runs."""
    from symposia.store import list_runs

    found = list_runs(runs)
    if as_json:
        names = ("run", "state", "accepted", "rejected", "parked", "failed")
        say_json([{name: getattr(summary, name) for name in names} for summary in found])
        return
    if not found:
        say(f"no runs in {show_path(runs)}; start with `symposia demo` or `symposia run RECIPE`")
        return
    numbers = ("accepted", "rejected", "parked", "failed")
    table = make_table("run", "state", *numbers, right=numbers, whole=("run", "state"))
    for summary in found:
        table.add_row(summary.run, summary.state, *(str(getattr(summary, name)) for name in numbers))
    make_console().print(table)
