"""What pydantic found wrong, in a user's words: the key, what it must be, and the nearest right word."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from symposia.errors import RecipeError, did_you_mean
from symposia.yamldoc.reading import KeyPath

__all__ = ["Problem", "dotted", "problems_of", "refuse", "type_at"]

_SHOWN = 10
_NAMES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
    "too_short": "at least {min_length} long",
    "too_long": "at most {max_length} long",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: at which key, what, and what to do."""

    path: KeyPath
    message: str
    hint: str = ""


def dotted(path: Sequence[str | int]) -> str:
    """A key path as users write it: ``roles.judges.0.model``."""
    return ".".join(str(part) for part in path)


def problems_of(exc: ValidationError, model: type[BaseModel], prefix: KeyPath = ()) -> list[Problem]:
    """The findings of a validation of ``model``, whose place in the document is ``prefix``."""
    return [_problem(error, model, prefix) for error in exc.errors(include_url=False)]


def refuse(problems: Iterable[Problem], place: Callable[[KeyPath], str], what: str) -> RecipeError:
    """One error for all problems; ``place`` says where a key stands.

    Args:
        problems: At least one.
        place: Gives ``file:line:column`` or the name of a command line option.
        what: How the whole is called when there are several problems, for example ``recipe.yaml``.
    """
    found = list(problems)
    if len(found) == 1:
        return RecipeError(_line(found[0], place), found[0].hint)
    lines = []
    for problem in found[:_SHOWN]:
        hint = f"  → {problem.hint}" if problem.hint else ""
        lines.append(f"\n  {_line(problem, place)}{hint}")
    more = f"\n  … and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return RecipeError(f"{what}: {len(found)} problems{''.join(lines)}{more}")


def _line(problem: Problem, place: Callable[[KeyPath], str]) -> str:
    key = dotted(problem.path)
    return f"{place(problem.path)}: {key}: {problem.message}" if key else f"{place(())}: {problem.message}"


def _problem(error: Any, model: type[BaseModel], prefix: KeyPath) -> Problem:
    loc: KeyPath = tuple(error["loc"])
    kind: str = error["type"]
    context: dict[str, Any] = error.get("ctx") or {}
    shown = _shown(error["input"])
    path = (*prefix, *loc)
    if kind == "extra_forbidden":
        return Problem(path, "unknown key", did_you_mean(str(loc[-1]), _fields(type_at(model, loc[:-1]))))
    if kind == "missing":
        return Problem(path, "is missing", f"add '{loc[-1]}'" if loc else "")
    if kind in {"literal_error", "enum"}:
        words = [str(word) for word in typing.get_args(_bare(type_at(model, loc)))]
        return Problem(path, f"{shown} is not possible", did_you_mean(str(error["input"]), words))
    if kind == "string_pattern_mismatch":
        return Problem(path, *_pattern(shown, context.get("pattern", "")))
    if kind in _NAMES:
        return Problem(path, f"must be {_NAMES[kind]}, not {shown}", _quoting(kind, error["input"]))
    if kind in _BOUNDS:
        return Problem(path, f"must be {_BOUNDS[kind].format(**context)}, not {shown}")
    if kind == "value_error":
        return Problem(path, str(context.get("error", error["msg"])))
    return Problem(path, f"{error['msg']}, not {shown}")


def _quoting(kind: str, value: Any) -> str:
    if kind != "string_type" or not isinstance(value, (bool, int, float)):
        return ""
    why = " (YAML reads yes, no, on and off as true or false)" if isinstance(value, bool) else ""
    return f"put it in quotes{why}"


def _pattern(shown: str, pattern: str) -> tuple[str, str]:
    if "/.+" in pattern:
        return f"{shown} does not name a backend", "write <backend>/<model>, for example local/smollm2"
    if pattern == r"^[a-z0-9][a-z0-9-]*$":
        return f"{shown} is not a name", "use small letters, digits and hyphens, for example my-recipe"
    return f"{shown} does not match {pattern}", ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else text[:59] + "…"


def _bare(annotation: Any) -> Any:
    """The annotation without ``Annotated`` and ``| None``."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in {Union, types.UnionType}:
            kept = [arg for arg in typing.get_args(annotation) if arg is not type(None)]
            if len(kept) != 1:
                return annotation
            annotation = kept[0]
        else:
            return annotation


def type_at(model: Any, loc: Sequence[str | int]) -> Any:
    """The annotated type at a place inside a model, without ``Annotated`` and ``| None``; None when unknown."""
    here = _bare(model)
    for part in loc:
        if isinstance(part, int):
            args = [arg for arg in typing.get_args(here) if arg is not Ellipsis]
            here = _bare(args[0]) if args else None
            continue
        field = _field(here, part)
        if field is None:
            args = list(typing.get_args(here)) if typing.get_origin(here) is dict else []
            here = _bare(args[1]) if len(args) == 2 else None
            continue
        here = _bare(field.annotation)
    return here


def _field(model: Any, name: str) -> FieldInfo | None:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    by_alias = {field.alias: field for field in model.model_fields.values() if field.alias}
    return model.model_fields.get(name) or by_alias.get(name)


def _fields(model: Any) -> list[str]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
