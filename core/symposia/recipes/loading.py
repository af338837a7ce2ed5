"""From a recipe's name or path to a checked recipe that knows where each value came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from symposia.constitutions import is_path
from symposia.errors import RecipeError, SymposiaError
from symposia.host import Host
from symposia.recipes.checking import find_problems, find_secrets
from symposia.recipes.layers import Layers, anchored, parse_override
from symposia.records import JsonObject, JsonValue, Recipe
from symposia.yamldoc import KeyPath, YamlDoc, dotted, problems_of, read_yaml, refuse, require_mapping

__all__ = ["LoadedRecipe", "check_recipe", "find_recipe", "load_mapping", "load_recipe"]

_DEFAULT = "default"


@dataclass(frozen=True)
class LoadedRecipe:
    """A checked recipe.

    Attributes:
        recipe: The recipe.
        base: Folder against which its relative paths are read.
        origins: Where each value came from, by dotted key: ``file:line:column``, a command line option, or
            ``default``.
        path: The file, where it came from one.
    """

    recipe: Recipe
    base: Path
    origins: dict[str, str]
    path: Path | None


def load_recipe(ref: str | Path, *, host: Host, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """A recipe by name or path, with what it extends under it and the overrides over it.

    Args:
        ref: Name of a shipped recipe, or path of a YAML file.
        host: Who ships recipes and offers the parts that are named in it.
        overrides: ``a.b=c`` each, in order; ``*`` stands for every mapping at its place.

    Raises:
        RecipeError: It can't be read or is not valid; every problem is named with file, line, column and key.
        PluginError: Nothing of that name is shipped.
        UsageError: An override is malformed.
    """
    path = find_recipe(str(ref), host=host, base=Path.cwd())
    layers = Layers()
    _add_file(layers, path, host, ())
    top = layers.value
    if "name" not in top:
        layers.add({"name": _slug(path.stem)}, _at(f"{_called(path)} (file name)"))
    return _finish(layers, path.parent, path, host, overrides)


def load_mapping(
    value: Mapping[str, object], *, host: Host, base: Path, overrides: Sequence[str] = ()
) -> LoadedRecipe:
    """A recipe given as a mapping, for example from Python; it may extend another one.

    Raises:
        RecipeError: It is not valid.
        PluginError: What it extends is not shipped.
    """
    layers = Layers()
    plain = cast(JsonObject, to_jsonable_python(dict(value)))
    doc = YamlDoc("recipe", plain, {}, {})
    _add_doc(layers, doc, plain, base, host, ())
    return _finish(layers, base, None, host, overrides)


def check_recipe(recipe: Recipe, *, host: Host, base: Path) -> None:
    """Refuse a recipe that names parts nobody offers, or gives a part wrong parameters.

    Raises:
        RecipeError: It does; every problem is named with its key.
    """
    found = find_problems(recipe, host, base)
    if found:
        name = f"recipe '{recipe.name}'"
        raise refuse(found, _at(name), name)


def find_recipe(ref: str, *, host: Host, base: Path) -> Path:
    """The file of a recipe: a path, or the name of a shipped one.

    Raises:
        PluginError: Nothing of that name is shipped and no such file exists.
    """
    path = base / Path(ref).expanduser()
    if is_path(ref) or path.is_file():
        return Path(ref).expanduser() if base == Path.cwd() else path
    shipped = {owned.name for owned in host.offers("recipe")}
    if ref not in shipped and path.is_dir():
        return path
    twin = path.with_name(path.name + ".yaml")
    if ref not in shipped and twin.is_file():
        raise RecipeError(f"no recipe is called '{ref}'", f"did you mean the file {ref}.yaml?")
    return host.text("recipe", ref).path


def _add_file(layers: Layers, path: Path, host: Host, above: tuple[Path, ...]) -> None:
    doc = read_yaml(path, _called(path))
    value = cast(JsonObject, require_mapping(doc, "recipe"))
    _add_doc(layers, doc, value, path.parent, host, (*above, path.resolve()))


def _add_doc(
    layers: Layers, doc: YamlDoc, value: JsonObject, base: Path, host: Host, chain: tuple[Path, ...]
) -> None:
    secrets = list(find_secrets(value))
    if secrets:
        raise refuse(secrets, lambda path: str(doc.place(path)), doc.name)
    lower = value.get("extends")
    if lower is not None:
        _add_lower(layers, doc, lower, base, host, chain)
    own = {key: item for key, item in value.items() if key != "extends"}
    if len(chain) > 1:
        own = anchored(
            {key: item for key, item in own.items() if key not in {"name", "description"}}, base.absolute()
        )
    layers.add(own, lambda path: str(doc.place(path)) if doc.places else doc.name)


def _add_lower(
    layers: Layers, doc: YamlDoc, lower: JsonValue, base: Path, host: Host, chain: tuple[Path, ...]
) -> None:
    place = doc.place(("extends",))
    if not isinstance(lower, str):
        raise RecipeError(f"{place}: extends: must be the name or path of one recipe")
    try:
        path = find_recipe(lower, host=host, base=base.absolute())
    except SymposiaError as exc:
        raise RecipeError(f"{place}: extends: {exc.message}", exc.hint) from None
    if path.resolve() in chain:
        raise RecipeError(f"{place}: extends: {lower} extends itself in the end", "break the circle")
    # A recipe from Python has no file; what it extends is none the less not the top.
    _add_file(layers, path, host, chain or (Path(),))


def _called(path: Path) -> str:
    """How errors call a file: relative to where the user is, if it is below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _finish(layers: Layers, base: Path, path: Path | None, host: Host, overrides: Sequence[str]) -> LoadedRecipe:
    for text in overrides:
        keys, value = parse_override(text)
        origin = f"--set {'.'.join(keys)}"
        secrets = list(find_secrets(value, tuple(keys)))
        if secrets:
            raise refuse(secrets, _at(origin), origin)
        layers.set(keys, _from_here(keys, value, base), origin)
    what = _called(path) if path else "recipe"
    try:
        recipe = Recipe.model_validate(layers.value)
    except ValidationError as exc:
        raise refuse(problems_of(exc, Recipe), layers.place, what) from None
    found = find_problems(recipe, host, base)
    if found:
        raise refuse(found, layers.place, what)
    return LoadedRecipe(recipe, base, _origins(recipe, layers), path)


def _at(origin: str) -> Callable[[KeyPath], str]:
    return lambda _: origin


def _from_here(keys: list[str], value: JsonValue, base: Path) -> JsonValue:
    """An override's value, its relative paths read from the current folder as a shell user means them."""
    if base.absolute() == Path.cwd():
        return value
    nested: JsonValue = value
    for key in reversed(keys):
        nested = {key: nested}
    found: JsonValue = anchored(cast(JsonObject, nested), Path.cwd())
    for key in keys:
        found = cast(JsonObject, found)[key]
    return found


def _slug(stem: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60]
    return slug or "run"


def _origins(recipe: Recipe, layers: Layers) -> dict[str, str]:
    """The origin of every value of the whole recipe."""
    found: dict[str, str] = {}

    def walk(value: JsonValue, path: KeyPath) -> None:
        if isinstance(value, dict) and value:
            for key, item in value.items():
                walk(item, (*path, key))
        elif isinstance(value, list) and value:
            for number, item in enumerate(value):
                walk(item, (*path, number))
        else:
            found[dotted(path)] = layers.origins.get(path, _DEFAULT)

    walk(recipe.model_dump(mode="json"), ())
    return found
