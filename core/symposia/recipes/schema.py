"""The JSON schema of a recipe, for editors: keys, words, and the parts that are installed with their parameters."""

from __future__ import annotations

import inspect
import re
from typing import Any, cast

from pydantic import BaseModel

from symposia import records
from symposia.host import Host
from symposia.offers import Kind, Offer, Params
from symposia.records import JsonObject, Recipe

__all__ = ["describe_fields", "recipe_schema"]

_PARTS: dict[str, Kind] = {
    "SourceSpec": "source",
    "PersonaSpec": "personas",
    "VerifierSpec": "verifier",
    "ExportSpec": "exporter",
}
_ITEM = re.compile(r"^\s{0,8}(\w+): (.+)$")


def recipe_schema(host: Host) -> JsonObject:
    """A JSON schema (draft 2020-12) of what a recipe file may hold on this machine."""
    schema: dict[str, Any] = Recipe.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    for name, definition in definitions.items():
        _annotate(definition, getattr(records, name, None))
    _annotate(schema, Recipe)
    for name, kind in _PARTS.items():
        definitions[name] = _part(host, kind, definitions[name])
    plain = definitions.pop("PartSpec")
    properties: dict[str, Any] = schema["properties"]
    properties["critic"] = _part(host, "critic", plain)
    definitions["NoveltySpec"]["properties"]["embedder"] = _part(host, "embedder", plain)
    definitions["NoveltySpec"]["properties"]["use"] = {"enum": _names(host, "index"), "default": "exact"}
    properties["graph"]["enum"] = _names(host, "graph")
    constitutions = _names(host, "constitution")
    properties["constitution"] = {
        "description": properties["constitution"].get("description", ""),
        "anyOf": [{"enum": constitutions}, {"type": "string", "pattern": r"\.ya?ml$|/"}, {"type": "null"}],
    }
    properties["extends"] = {
        "description": "Name or path of a recipe that this one is laid over.",
        "type": "string",
    }
    # What a recipe extends may bring the rest.
    schema.pop("required", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _names(host: Host, kind: Kind) -> list[str]:
    return [owned.name for owned in host.offers(kind)]


def _part(host: Host, kind: Kind, spec: dict[str, Any]) -> dict[str, Any]:
    """A part by bare name, or with the parameters of the one that is named."""
    own = {key: value for key, value in spec.get("properties", {}).items() if key != "use"}
    forms: list[dict[str, Any]] = [{"enum": _names(host, kind)}]
    for owned in host.offers(kind):
        offer = cast("Offer[Any]", owned.offer)
        params = _inlined(offer.params)
        properties = {"use": {"const": owned.name}, **own, **params.get("properties", {})}
        forms.append(
            {
                "type": "object",
                "description": offer.summary,
                "properties": properties,
                "required": ["use", *params.get("required", [])],
                "additionalProperties": False,
            }
        )
    return {"description": spec.get("description", ""), "anyOf": forms}


def _inlined(model: type[Params]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.get("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return walk(definitions[str(node["$ref"]).rsplit("/", 1)[-1]])
        return {key: walk(value) for key, value in node.items() if key != "$defs"}

    _annotate(schema, model)
    return cast("dict[str, Any]", walk(schema))


def _annotate(schema: dict[str, Any], model: Any) -> None:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return
    schema["description"] = (inspect.getdoc(model) or "").split("\n\n", 1)[0]
    words = describe_fields(model)
    for name, field in schema.get("properties", {}).items():
        field.pop("title", None)
        if name in words:
            field.setdefault("description", words[name])


def describe_fields(model: type[BaseModel]) -> dict[str, str]:
    """What the ``Attributes`` sections of a model's docstring, and of those it stands on, say about its fields."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            found.update(_attributes(parent.__doc__ or ""))
    return found


def _attributes(text: str) -> dict[str, str]:
    _, _, section = inspect.cleandoc(text).partition("Attributes:\n")
    found: dict[str, str] = {}
    last = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        item = _ITEM.match(line)
        if item and len(line) - len(line.lstrip()) <= 4:
            last = item.group(1)
            found[last] = item.group(2).strip()
        elif last and line.strip():
            found[last] += " " + line.strip()
    return found
