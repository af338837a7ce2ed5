"""`symposia cache`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symposia.cli.console import make_console, make_table, say, say_json, show_path
from symposia.cli.options import RUNS, AsJson, Runs, make_app

app = make_app()


@app.callback()
def cache() -> None:
    """Explain, count and export the stored answers of models."""


def _ledger(runs: Path) -> Path:
    from symposia.store import LEDGER_FILE

    return runs / LEDGER_FILE


@app.command()
def explain(
    request: Annotated[
        str, typer.Argument(metavar="ID", help="Key of a request or its beginning, as in a transcript's turn.")
    ],
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Say what is stored under a request, and in what the nearest other requests differ."""
    from dataclasses import asdict

    from pydantic_core import to_jsonable_python

    from symposia.llm import explain as look_up

    found = look_up(_ledger(runs), request)
    if as_json:
        say_json(to_jsonable_python(asdict(found)))
    else:
        say(found.render())


@app.command()
def bill(
    run: Annotated[str | None, typer.Argument(help="Only what this run paid for.")] = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Say what the stored answers cost, by model; an unknown price is said to be unknown."""
    from symposia.llm import bill as add_up
    from symposia.records import Usage
    from symposia.store import find_run

    name = find_run(runs, run).name if run is not None else None
    found = add_up(_ledger(runs), name)
    if as_json:
        say_json({model: usage.model_dump(mode="json") for model, usage in found.items()})
        return
    total = sum(found.values(), Usage())
    numbers = ("calls", "tokens read", "tokens written", "cost")
    table = make_table("model", *numbers, right=numbers)
    for model, usage in [*found.items(), ("all", total)]:
        cost = "unknown" if usage.cost_usd is None else f"${usage.cost_usd:,.4f}"
        table.add_row(model, f"{usage.calls:,}", f"{usage.prompt_tokens:,}", f"{usage.completion_tokens:,}", cost)
    make_console().print(table)


@app.command()
def stats(runs: Runs = RUNS, as_json: AsJson = False) -> None:
    """Count what is stored."""
    from dataclasses import asdict

    from pydantic_core import to_jsonable_python

    from symposia.llm import stats as count

    found = count(_ledger(runs))
    if as_json:
        say_json(to_jsonable_python(asdict(found)))
        return
    say(f"{show_path(_ledger(runs))}: {found.size_bytes / 1e6:,.1f} MB")
    cut = f" ({found.truncated:,} cut off)" if found.truncated else ""
    say(f"{found.entries:,} answers{cut}, {found.failures:,} failures, {found.verdicts:,} verdicts")
    for run, calls in found.runs.items():
        say(f"  {run}: {calls:,} answers paid for")


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    run: Annotated[str | None, typer.Argument(help="Only the requests of this run.")] = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Write stored answers as a cassette: a role with model replay/BACKEND/MODEL and base_url FILE replays it."""
    from symposia.llm import export_cassette
    from symposia.store import RunStore, find_run

    keys: set[str] | None = None
    if run is not None:
        with RunStore.open(find_run(runs, run)) as store:
            keys = {key for negotiation in store.negotiations() for turn in negotiation.turns for key in turn.keys}
    count = export_cassette(_ledger(runs), keys, out)
    if as_json:
        say_json({"entries": count, "path": str(out)})
    else:
        say(f"wrote {count} entries to {show_path(out)}")
