"""The run folder: which one a recipe belongs to, and what is frozen in it at the first start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from symposia.engine.identity import changed_settings, thaw
from symposia.errors import StoreError
from symposia.records import Event, NoticeGiven, Recipe
from symposia.store import RunStore

__all__ = ["freeze", "run_folder"]


def run_folder(runs: Path, name: str, identity: str, new: bool) -> Path:
    """The run folder: the newest one of this identity, or the next free name."""
    stem = f"{name}-{identity[:8]}"
    number = 1
    while (runs / _numbered(stem, number + 1)).is_dir():
        number += 1
    if new and (runs / _numbered(stem, number)).is_dir():
        number += 1
    return runs / _numbered(stem, number)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def freeze(recipe: Recipe, store: RunStore, identity: str, base: Path, emit: Callable[[Event], None]) -> Recipe:
    """Freeze the recipe at the first start; later, log what differs."""
    if store.meta("recipe") is None:
        recipe = thaw(recipe, None)
        store.set_meta("identity", identity)
        store.set_meta("base", str(base.resolve()))
        store.set_meta("recipe", recipe.model_dump_json())
        text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        (store.folder / "recipe.yaml").write_text(text, encoding="utf-8")
        return recipe
    if store.identity() != identity:
        raise StoreError(
            f"{store.folder} holds a run of another content", "start anew with --new, or remove the folder"
        )
    frozen = store.recipe()
    recipe = thaw(recipe, frozen)
    changed = changed_settings(recipe, frozen)
    if changed:
        emit(NoticeGiven(message="goes on with changed " + ", ".join(changed)))
    return recipe
