"""`symposia run`."""

from __future__ import annotations

from typing import Annotated

import typer

from symposia.cli.options import RUNS, Overrides, RecipeRef, Runs, Samples, Seed, make_app, make_host

app = make_app()


Model = Annotated[str | None, typer.Option("--model", metavar="BACKEND/MODEL", help="The model of every role.")]
MaxCandidates = Annotated[int | None, typer.Option("--max-candidates", help="Most tasks to draw.", min=1)]
InFlight = Annotated[int | None, typer.Option("--in-flight", help="Negotiations at once.", min=1)]
New = Annotated[bool, typer.Option("--new", help="Start anew even if a run of the same content is there.")]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Ask the tasks again that failed.")]
Events = Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print one line at the end.")]


@app.command()
def run(
    recipe: RecipeRef,
    samples: Samples = None,
    seed: Seed = None,
    model: Model = None,
    max_candidates: MaxCandidates = None,
    in_flight: InFlight = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    new: New = False,
    retry_failed: Retry = False,
    as_json: Events = False,
    quiet: Quiet = False,
) -> None:
    """Run a recipe, or go on with a run that was interrupted.

    The same command on the same recipe goes on where it rested. Ctrl-C once finishes what is in flight, twice
    stops.

    Exit codes: 0 complete, 2 mistake in the recipe or a source, 3 a cap was reached, 4 an endpoint can't serve the
    run, 5 the run folder can't be used, 6 too many tasks failed, 7 samples wait for a person, 130 interrupted.
    """
    from symposia.cli.running import execute, shown, sugar
    from symposia.recipes import load_recipe

    host = make_host()
    said = sugar(
        {"samples": samples, "seed": seed, "limits.max_candidates": max_candidates, "limits.in_flight": in_flight},
        model=model,
        overrides=overrides,
    )
    loaded = load_recipe(recipe, host=host, overrides=said)
    with shown(loaded.recipe.samples, as_json=as_json, quiet=quiet) as show:
        show.result = execute(
            loaded,
            runs=runs,
            host=host,
            listeners=show.listeners,
            new=new,
            retry_failed=retry_failed,
            standing=show.standing,
        )
    raise typer.Exit(show.result.exit_code)
