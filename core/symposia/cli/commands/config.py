"""`symposia config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symposia.cli.console import make_console, say, say_json
from symposia.cli.options import AsJson, Overrides, RecipeRef, make_app, make_host
from symposia.report.text import plain

if TYPE_CHECKING:
    from symposia.recipes import LoadedRecipe

app = make_app()


@app.callback()
def config() -> None:
    """Show a recipe with the origin of each value, or its JSON schema."""


@app.command()
def show(
    recipe: RecipeRef,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show the whole recipe as it would run: defaults, what it extends, the file, and --set."""
    from symposia.recipes import load_recipe

    loaded = load_recipe(recipe, host=make_host(), overrides=overrides or ())
    if as_json:
        value = loaded.recipe.model_dump(mode="json")
        say_json({"recipe": value, "origins": loaded.origins} if origin else value)
    elif origin:
        _print_origins(loaded)
    else:
        import yaml

        say(
            yaml.safe_dump(
                loaded.recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
            ).rstrip()
        )


def _print_origins(loaded: LoadedRecipe) -> None:
    """One line a value: a place is only useful in one piece, so nothing is put into columns that break it."""
    import orjson
    from rich.text import Text

    value: Any = loaded.recipe.model_dump(mode="json")
    room = max(len(key) for key in loaded.origins)
    console = make_console()
    for key, where in loaded.origins.items():
        here: Any = value
        for part in key.split("."):
            here = here[int(part)] if isinstance(here, list) else here[part]
        line = Text.assemble(f"{key:<{room}}  {plain(orjson.dumps(here).decode())}", (f"  ← {plain(where)}", "dim"))
        if where == "default":
            line.stylize("dim")
        console.print(line, soft_wrap=True)


@app.command()
def schema() -> None:
    """Print the JSON schema of recipes, with the parts that are installed, for an editor."""
    from symposia.recipes import recipe_schema

    say_json(recipe_schema(make_host()))
