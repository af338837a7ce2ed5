"""Running recipes from Python: `symposia.run` and its asynchronous twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.errors import UsageError
from symposia.host import Host
from symposia.recipes import LoadedRecipe, check_recipe, load_mapping, load_recipe
from symposia.records import Event, Recipe

if TYPE_CHECKING:
    from symposia.engine import RunResult, StopSignal

__all__ = ["run", "run_async"]


def run(
    recipe: str | Path | Recipe | Mapping[str, object],
    *,
    runs: str | Path = "runs",
    base: str | Path | None = None,
    overrides: Sequence[str] = (),
    host: Host | None = None,
    listeners: Sequence[Callable[[Event], None]] = (),
    new: bool = False,
    retry_failed: bool = False,
    stop: StopSignal | None = None,
) -> RunResult:
    """Run a recipe until it rests; the same call again goes on where it rested.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, a `Recipe`, or a mapping with a recipe's keys.
        runs: Folder of all runs.
        base: Folder against which relative paths of a `Recipe` or mapping are read; the current one when None.
        overrides: ``a.b=c`` each, laid over the recipe in order; not for a `Recipe`.
        host: The plugins; those of this installation when None.
        listeners: Called with every event.
        new: Start a new run even if one of the same content is there.
        retry_failed: Ask the tasks again that failed.
        stop: How the run can be asked to stop from elsewhere.

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
        pass
    else:
        raise UsageError(
            "symposia.run can't wait inside a running event loop", "write: await symposia.run_async(...)"
        )
    return asyncio.run(
        run_async(
            recipe,
            runs=runs,
            base=base,
            overrides=overrides,
            host=host,
            listeners=listeners,
            new=new,
            retry_failed=retry_failed,
            stop=stop,
        )
    )


async def run_async(
    recipe: str | Path | Recipe | Mapping[str, object],
    *,
    runs: str | Path = "runs",
    base: str | Path | None = None,
    overrides: Sequence[str] = (),
    host: Host | None = None,
    listeners: Sequence[Callable[[Event], None]] = (),
    new: bool = False,
    retry_failed: bool = False,
    stop: StopSignal | None = None,
) -> RunResult:
    """Like `run`, inside a running event loop."""
    from symposia.engine import run_recipe

    host = host or Host()
    loaded = _load(recipe, host, Path(base) if base is not None else Path.cwd(), overrides)
    return await run_recipe(
        loaded.recipe,
        base=loaded.base,
        runs=Path(runs),
        host=host,
        listeners=listeners,
        new=new,
        retry_failed=retry_failed,
        stop=stop,
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
