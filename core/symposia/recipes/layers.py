"""Values laid over one another, with the origin of each kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from symposia.constitutions import is_path
from symposia.errors import UsageError
from symposia.records import JsonObject, JsonValue
from symposia.yamldoc import KeyPath, dotted, parse_yaml

__all__ = ["Layers", "anchored", "parse_override"]

_PARTS: frozenset[KeyPath] = frozenset({("source",), ("personas",), ("critic",), ("novelty", "embedder")})
_PART_LISTS = frozenset({"verifiers", "exports"})
_OF_A_BACKEND = ("base_url", "api_key_env", "backend_params", "options")
_ROLES = frozenset({"teacher", "critic", "reviser"})


class Layers:
    """One value, made of layers: mappings are merged, everything else is replaced.

    Two things are more than a merge. A part that is exchanged for another (``use`` differs) loses the parameters of
    the old one; a role whose model moves to another backend loses the old address, key name and options, so that a
    request never goes to the old address by mistake.

    Attributes:
        value: The merged value.
        origins: Where each key was last said.
    """

    def __init__(self) -> None:
        self.value: JsonObject = {}
        self.origins: dict[KeyPath, str] = {}

    def place(self, path: KeyPath) -> str:
        """Origin of a key, or of the nearest one above it."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, "recipe")

    def add(self, value: JsonObject, place: Callable[[KeyPath], str]) -> None:
        """Lay a mapping over what is there."""
        merged = self._merge(self.value, value, (), place)
        assert isinstance(merged, dict)
        self.value = merged

    def set(self, keys: Sequence[str], value: JsonValue, origin: str) -> None:
        """Lay one value over what is at a dotted path; ``*`` stands for every mapping at its place.

        Raises:
            UsageError: The path leads through something that has no keys.
        """
        self._set(self.value, (), list(keys), value, origin)

    def _set(self, node: JsonValue, path: KeyPath, keys: list[str], value: JsonValue, origin: str) -> None:
        head, rest = keys[0], keys[1:]
        if head == "*":
            for key, item in _children(node):
                if isinstance(item, dict) and rest:
                    self._set(item, (*path, key), rest, value, origin)
            return
        if isinstance(node, list):
            self._set_item(node, path, keys, value, origin)
        elif isinstance(node, dict):
            if not rest:
                merged = self._merge(node, {head: value}, path, lambda _: origin)
                assert isinstance(merged, dict)
                node.clear()
                node.update(merged)
                return
            if node.get(head) is None and rest[0] == "*":
                return
            if node.get(head) is None:
                node[head] = {}
                self.origins[(*path, head)] = origin
            self._set(node[head], (*path, head), rest, value, origin)
        else:
            raise UsageError(f"{origin}: {dotted(path)} is a single value, so it has no '{head}'")

    def _set_item(
        self, node: list[JsonValue], path: KeyPath, keys: list[str], value: JsonValue, origin: str
    ) -> None:
        head, rest = keys[0], keys[1:]
        if not head.isdigit() or int(head) >= len(node):
            hint = f"count from 0 to {len(node) - 1}" if node else "the list is empty; set it as a whole"
            raise UsageError(f"{origin}: {dotted(path)} is a list and has no item '{head}'", hint)
        here = (*path, int(head))
        if rest:
            self._set(node[int(head)], here, rest, value, origin)
        else:
            node[int(head)] = self._merge(node[int(head)], value, here, lambda _: origin)

    def _merge(self, old: JsonValue, new: JsonValue, path: KeyPath, place: Callable[[KeyPath], str]) -> JsonValue:
        new = _normal(path, new)
        if not (isinstance(old, dict) and isinstance(new, dict)):
            self._forget(path)
            return self._mark(new, path, place)
        outdated = _outdated(old, new, path)
        merged = {key: item for key, item in old.items() if key not in outdated}
        for key in set(old) - set(merged):
            self._forget((*path, key))
        for key, item in new.items():
            here = (*path, key)
            merged[key] = self._merge(merged.get(key), item, here, place)
        return merged

    def _mark(self, value: JsonValue, path: KeyPath, place: Callable[[KeyPath], str]) -> JsonValue:
        value = _normal(path, value)
        self.origins[path] = place(path)
        if isinstance(value, dict):
            return {key: self._mark(item, (*path, key), place) for key, item in value.items()}
        if isinstance(value, list):
            return [self._mark(item, (*path, number), place) for number, item in enumerate(value)]
        return value

    def _forget(self, path: KeyPath) -> None:
        for known in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[known]


def _children(node: JsonValue) -> list[tuple[str | int, JsonValue]]:
    if isinstance(node, dict):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


def _normal(path: KeyPath, value: JsonValue) -> JsonValue:
    """`name` is short for `{use: name}` where a part is named."""
    part = path in _PARTS or (len(path) == 2 and path[0] in _PART_LISTS)
    return {"use": value} if part and isinstance(value, str) else value


def _outdated(old: JsonObject, new: JsonObject, path: KeyPath) -> set[str]:
    """Keys of ``old`` that mean nothing any more under ``new``."""
    if path in _PARTS and "use" in old and new.get("use", old["use"]) != old["use"]:
        return set(old)
    is_role = path[:1] == ("roles",) and (path[-1] in _ROLES or path[1:2] == ("judges",)) and len(path) <= 3
    before, after = old.get("model"), new.get("model")
    both = is_role and isinstance(before, str) and isinstance(after, str)
    moves = both and str(before).split("/", 1)[0] != str(after).split("/", 1)[0]
    return set(_OF_A_BACKEND) if moves else set()


def anchored(value: JsonObject, base: Path) -> JsonObject:
    """A layer with the relative paths in it made absolute: ``source.path``, ``personas.path``, ``constitution``."""
    result = dict(value)
    for name in ("source", "personas"):
        part = result.get(name)
        if isinstance(part, dict) and "path" in part:
            result[name] = {**part, "path": _anchor(part["path"], base)}
    constitution = result.get("constitution")
    if isinstance(constitution, str) and is_path(constitution):
        result["constitution"] = _anchor(constitution, base)
    return result


def _anchor(value: JsonValue, base: Path) -> JsonValue:
    if isinstance(value, list):
        return [_anchor(item, base) for item in value]
    return os.path.normpath(base / Path(value).expanduser()) if isinstance(value, str) else value


def parse_override(text: str) -> tuple[list[str], JsonValue]:
    """``a.b=c`` as keys and value; the value is read as YAML.

    Raises:
        UsageError: There is no key or no ``=``.
        RecipeError: The value is no YAML.
    """
    key, equals, value = text.partition("=")
    keys = [part.strip() for part in key.split(".")]
    if not equals or not all(keys):
        raise UsageError(f"--set {text[:60]!r}: not of the form key=value", "write for example limits.in_flight=8")
    return keys, parse_yaml(value, f"--set {key}").value
