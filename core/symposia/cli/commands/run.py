"""`symposia run`."""

from __future__ import annotations

from typing import Annotated

import typer

from symposia.cli.console import say, say_json
from symposia.cli.options import RUNS, Overrides, Runs, make_app, make_host

app = make_app()


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or path of a YAML file.")],
    samples: Annotated[
        int | None, typer.Option("--samples", help="Number of ACCEPTED samples to make.", min=1)
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of everything that is drawn.", min=0)] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="BACKEND/MODEL", help="The model of every role.")
    ] = None,
    max_candidates: Annotated[
        int | None, typer.Option("--max-candidates", help="Most tasks to draw.", min=1)
    ] = None,
    in_flight: Annotated[int | None, typer.Option("--in-flight", help="Negotiations at once.", min=1)] = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    new: Annotated[
        bool, typer.Option("--new", help="Start anew even if a run of the same content is there.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask the tasks again that failed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print one line at the end.")] = False,
) -> None:
    """Run a recipe, or go on with a run that was interrupted.

    The same command on the same recipe goes on where it rested. Ctrl-C once finishes what is in flight, twice
    stops.

    Exit codes: 0 complete, 2 mistake in the recipe or a source, 3 a cap was reached, 4 an endpoint can't serve the
    run, 5 the run folder can't be used, 6 too many tasks failed, 7 samples wait for a person, 130 interrupted.
    """
    from symposia.cli.progress import Standing
    from symposia.cli.running import display, execute, say_summary, sugar
    from symposia.recipes import load_recipe

    host = make_host()
    said = sugar(
        samples=samples,
        seed=seed,
        model=model,
        max_candidates=max_candidates,
        in_flight=in_flight,
        overrides=overrides,
    )
    loaded = load_recipe(recipe, host=host, overrides=said)
    standing = Standing()

    with display(standing, quiet=quiet or as_json) as screen:
        listeners = [screen.hear]
        if as_json:
            listeners.append(lambda event: say_json(event.model_dump(mode="json"), line=True))
        result = execute(
            loaded,
            runs=runs,
            host=host,
            listeners=listeners,
            new=new,
            retry_failed=retry_failed,
            standing=standing,
        )
    if quiet and not as_json:
        say(f"{result.run} {result.state}: {standing.counts()}")
    elif not as_json:
        say_summary(result, loaded.recipe.samples)
    raise typer.Exit(result.exit_code)
