"""YAML read safely, with the place of every key kept.

The document is built from parser events rather than by a loader: so tags that make objects, keys that stand twice,
documents that nest or expand without end, and values that JSON has no form for are refused, each with its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from symposia.errors import RecipeError
from symposia.records import JsonValue

__all__ = ["MAX_BYTES", "KeyPath", "Place", "YamlDoc", "parse_yaml", "read_yaml"]

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a document."""

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 40
_MAX_NODES = 50_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}": name for name in ("null", "bool", "int", "float", "str", "timestamp")}
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


class Place(NamedTuple):
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class YamlDoc:
    """A document as a plain value, with places.

    Attributes:
        name: How errors call the document.
        value: What it says.
        places: Where each key or list item stands.
        spans: Start and end offset of each value in the text.
    """

    name: str
    value: JsonValue
    places: dict[KeyPath, Place]
    spans: dict[KeyPath, tuple[int, int]]

    def place(self, path: KeyPath) -> Place:
        """Where a key stands, or the nearest key above it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.name, 1, 1))


@dataclass
class _Node:
    """A value under construction; `items` of a mapping are keyed by text, those of a list by position."""

    place: Place
    start: int
    end: int
    scalar: JsonValue = None
    items: dict[str | int, _Node] | None = None
    is_list: bool = False
    keys: dict[str | int, Place] = field(default_factory=dict)


def read_yaml(path: Path, name: str | None = None) -> YamlDoc:
    """Read a file.

    Raises:
        RecipeError: It can't be read, is too large, is not UTF-8, or is not plain YAML.
    """
    name = name or str(path)
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if item.suffix in {".yaml", ".yml"})
        hint = f"it holds {', '.join(inside[:5])}" if inside else "name a YAML file"
        raise RecipeError(f"{name} is a folder, not a file", hint)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError(f"{name}: there is no such file", "check the path") from None
    except (OSError, ValueError) as exc:
        raise RecipeError(f"{name} can't be read: {exc}", "check the path and its permissions") from None
    if len(raw) > MAX_BYTES:
        raise RecipeError(f"{name} is larger than {MAX_BYTES // 1024} KiB", "is it data instead of a YAML file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise RecipeError(
            f"{name}:{line}: not UTF-8 (byte 0x{raw[exc.start]:02x} at offset {exc.start})", "save it as UTF-8"
        ) from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> YamlDoc:
    """Read a text; an empty one has the value None.

    Raises:
        RecipeError: It is not plain YAML; the message names line and column.
    """
    strange = _CONTROL.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        column = strange.start() - (text.rfind("\n", 0, strange.start()) + 1) + 1
        raise RecipeError(
            f"{name}:{line}:{column}: control character U+{ord(strange.group()):04X}", "is it a binary file?"
        )
    try:
        root = _Reader(name, text).document()
    except yaml.MarkedYAMLError as exc:
        raise _syntax_error(exc, name, text) from None
    places: dict[KeyPath, Place] = {}
    spans: dict[KeyPath, tuple[int, int]] = {}
    value = _Flattening(name, places, spans).value(root, ()) if root is not None else None
    return YamlDoc(name, value, places, spans)


def _syntax_error(exc: yaml.MarkedYAMLError, name: str, text: str) -> RecipeError:
    mark = exc.problem_mark or exc.context_mark
    problem = exc.problem or exc.context or "not YAML"
    if mark is None:
        return RecipeError(f"{name}: {problem}")
    hint = (
        "quote texts that hold ': ' or ' #'"
        if "mapping values" in problem
        else "check quotes, brackets and indentation"
    )
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: mark.column + 1].endswith("\t"):
        problem, hint = "a tab where indentation is read", "indent with spaces"
    elif "single document" in problem:
        hint = "keep one document a file; remove the second '---'"
    return RecipeError(f"{Place(name, mark.line + 1, mark.column + 1)}: {problem}", hint)


class _Reader:
    """Builds nodes from parser events, without recursion into hostile depth."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, _Node] = {}

    def document(self) -> _Node | None:
        root: _Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise RecipeError(
                        f"{self._place(event)}: a second document",
                        "keep one document a file; remove the second '---'",
                    )
                root = self._node(next(self._events), 0)
        return root

    def _place(self, event: Any) -> Place:
        return Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise RecipeError(f"{self._place(event)}: nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            known = self._anchors.get(str(event.anchor))
            if known is None:
                raise RecipeError(f"{self._place(event)}: there is no anchor '&{event.anchor}' above")
            return known
        node = _Node(self._place(event), *_span(event))
        if isinstance(event, yaml.ScalarEvent):
            node.scalar = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._fill_list(node, depth)
        else:
            self._fill_mapping(node, depth)
        if event.anchor:
            # An anchor is known only after its node, so a node can't hold itself.
            self._anchors[event.anchor] = node
        return node

    def _fill_list(self, node: _Node, depth: int) -> None:
        node.items, node.is_list = {}, True
        for number, event in enumerate(self._events):
            if isinstance(event, yaml.SequenceEndEvent):
                node.end = _span(event)[1]
                return
            item = self._node(event, depth + 1)
            node.items[number] = item
            node.keys[number] = self._place(event)

    def _fill_mapping(self, node: _Node, depth: int) -> None:
        node.items = {}
        merged: list[_Node] = []
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                node.end = _span(event)[1]
                break
            key = self._key(event)
            value = self._node(next(self._events), depth + 1)
            if key == "<<" and not event.style:
                merged.append(value)
                continue
            if key in node.items:
                raise RecipeError(
                    f"{self._place(event)}: key '{key}' stands twice (first in line {node.keys[key].line})",
                    "remove one of them",
                )
            node.items[key] = value
            node.keys[key] = self._place(event)
        for value in merged:
            self._merge(node, value)

    def _merge(self, node: _Node, value: _Node) -> None:
        sources = list((value.items or {}).values()) if value.is_list else [value]
        for source in sources:
            if source.items is None or source.is_list:
                raise RecipeError(f"{value.place}: '<<' takes a mapping or a list of mappings")
            assert node.items is not None
            for key, item in source.items.items():
                if key not in node.items:
                    node.items[key] = item
                    node.keys[key] = source.keys[key]

    def _key(self, event: Any) -> str:
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if isinstance(key, str):
            return key
        if isinstance(event, yaml.ScalarEvent) and event.value:
            raise RecipeError(
                f"{self._place(event)}: the key {event.value} is read as {_kind(key)}, not as text",
                f"quote it: '{event.value}'",
            )
        raise RecipeError(f"{self._place(event)}: a key must be a text")

    def _scalar(self, event: Any) -> JsonValue:
        plain = not event.style
        tag = event.tag
        if tag is None or tag == "!":
            tag = (
                _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
                if tag is None
                else "tag:yaml.org,2002:str"
            )
        kind = _PLAIN_TAGS.get(tag)
        if kind is None and tag == "tag:yaml.org,2002:merge":
            kind = "str"
        if kind is None:
            raise RecipeError(f"{self._place(event)}: the tag {tag} is not allowed", "use plain YAML values")
        text: str = event.value
        if kind in {"str", "timestamp"} or (kind in {"int", "float"} and ":" in text):
            return float(text) if plain and _EXPONENT.fullmatch(text) else text
        try:
            value: JsonValue = _CONSTRUCTOR.construct_object(yaml.ScalarNode(tag, text))
        except (yaml.YAMLError, ValueError, KeyError):
            raise RecipeError(f"{self._place(event)}: {text[:40]!r} is not of the type {kind}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"{self._place(event)}: {text} is not a finite number")
        return value


def _span(event: Any) -> tuple[int, int]:
    return event.start_mark.index, event.end_mark.index


def _kind(value: JsonValue) -> str:
    return {bool: "true or false", int: "a number", float: "a number"}.get(type(value), "nothing")


class _Flattening:
    """Turns nodes into a value; aliases are copied out, so the number of copies is limited."""

    def __init__(self, name: str, places: dict[KeyPath, Place], spans: dict[KeyPath, tuple[int, int]]) -> None:
        self._name = name
        self._places = places
        self._spans = spans
        self._count = 0

    def value(self, node: _Node, path: KeyPath) -> JsonValue:
        self._count += 1
        if self._count > _MAX_NODES or len(path) > _MAX_DEPTH:
            raise RecipeError(f"{self._name}: more than {_MAX_NODES} values once aliases are put in place")
        self._spans[path] = (node.start, node.end)
        self._places.setdefault(path, node.place)
        if node.items is None:
            return node.scalar
        for key, place in node.keys.items():
            self._places[(*path, key)] = place
        if node.is_list:
            return [self.value(item, (*path, key)) for key, item in node.items.items()]
        return {str(key): self.value(item, (*path, key)) for key, item in node.items.items()}
