"""YAML documents that tell where each key stands, and errors that say so."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from symposia.errors import RecipeError
from symposia.yamldoc.problems import Problem, dotted, problems_of, refuse, type_at
from symposia.yamldoc.reading import KeyPath, Place, YamlDoc, parse_yaml, read_yaml

__all__ = [
    "KeyPath",
    "Place",
    "Problem",
    "YamlDoc",
    "dotted",
    "parse_yaml",
    "problems_of",
    "read_record",
    "read_yaml",
    "refuse",
    "require_mapping",
    "type_at",
    "validate",
]

M = TypeVar("M", bound=BaseModel)


def require_mapping(doc: YamlDoc, what: str) -> dict[str, object]:
    """The document as a mapping.

    Raises:
        RecipeError: It is empty or something else.
    """
    if isinstance(doc.value, dict):
        return dict(doc.value)
    if doc.value is None:
        raise RecipeError(f"{doc.name} is empty", f"write a {what} in it")
    kind = "a list" if isinstance(doc.value, list) else "a single value"
    raise RecipeError(f"{doc.place(())}: {kind} where a {what} was expected", "start with 'key: value' lines")


def validate(doc: YamlDoc, model: type[M], what: str) -> M:
    """A document as a record.

    Raises:
        RecipeError: It is not valid; every problem is named with line, column and key.
    """
    value = require_mapping(doc, what)
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise refuse(problems_of(exc, model), lambda path: str(doc.place(path)), doc.name) from None


def read_record(path: Path, model: type[M], what: str, name: str | None = None) -> M:
    """A YAML file as a record, for example a constitution or a persona pack.

    Args:
        path: The file.
        model: The record.
        what: How errors call it, for example ``constitution``.
        name: How errors call the file; its path when None.

    Raises:
        RecipeError: The file can't be read or is not valid.
    """
    return validate(read_yaml(path, name), model, what)
