"""Running recipes from Python: `symposia.run` and its asynchronous twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from symposia.errors import UsageError
from symposia.host import Host
from symposia.recipes import LoadedRecipe, check_recipe, load_mapping, load_recipe
from symposia.records import Event, Recipe

if TYPE_CHECKING:
    from symposia.engine import RunResult, StopSignal

__all__ = ["RunOptions", "run", "run_async"]


class RunOptions(TypedDict, total=False):
    """How a recipe is run.

    Attributes:
        runs: Folder of all runs; ``runs`` when left out.
        base: Folder against which relative paths of a `Recipe` or mapping are read; else the current one.
        overrides: ``a.b=c`` each, laid over the recipe in order; not for a `Recipe`.
        host: The plugins; else those of this installation.
        listeners: Called with every event.
        new: Start a new run even if one of the same content is there.
        retry_failed: Ask the tasks again that failed.
        stop: How the run can be asked to stop from elsewhere.
    """

    runs: str | Path
    base: str | Path
    overrides: Sequence[str]
    host: Host
    listeners: Sequence[Callable[[Event], None]]
    new: bool
    retry_failed: bool
    stop: StopSignal


def run(recipe: str | Path | Recipe | Mapping[str, object], **options: Unpack[RunOptions]) -> RunResult:
    """Run a recipe until it rests; the same call again goes on where it rested.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, a `Recipe`, or a mapping with a recipe's keys.
        options: See `RunOptions`.

    Returns:
        How it ended, with counts, files, and `samples()`.

    Raises:
        RecipeError: The recipe is not valid.
        SymposiaError: A part, a source, the run folder or an endpoint can't be used.
        UsageError: An event loop is running in this thread, as in a notebook.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run_async(recipe, **options))
    raise UsageError("symposia.run can't wait inside a running event loop", "write: await symposia.run_async(...)")


async def run_async(recipe: str | Path | Recipe | Mapping[str, object], **options: Unpack[RunOptions]) -> RunResult:
    """Like `run`, inside a running event loop."""
    from symposia.engine import run_recipe

    host = options.get("host") or Host()
    base = Path(options["base"]) if "base" in options else Path.cwd()
    loaded = _load(recipe, host, base, options.get("overrides", ()))
    return await run_recipe(
        loaded.recipe,
        base=loaded.base,
        runs=Path(options.get("runs", "runs")),
        host=host,
        listeners=options.get("listeners", ()),
        new=options.get("new", False),
        retry_failed=options.get("retry_failed", False),
        stop=options.get("stop"),
    )


def _load(recipe: object, host: Host, base: Path, overrides: Sequence[str]) -> LoadedRecipe:
    if isinstance(recipe, (str, Path)):
        return load_recipe(recipe, host=host, overrides=overrides)
    if isinstance(recipe, Mapping):
        return load_mapping(recipe, host=host, base=base, overrides=overrides)
    if not isinstance(recipe, Recipe):
        kind = type(recipe).__name__
        raise UsageError(f"a {kind} is no recipe", "give a name, a path, a Recipe, or a mapping")
    if overrides:
        raise UsageError("overrides are for recipes by name, path or mapping", "use recipe.model_copy(update=...)")
    check_recipe(recipe, host=host, base=base)
    return LoadedRecipe(recipe, base, {}, None)
