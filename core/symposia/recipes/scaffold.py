"""A new recipe out of a shipped one: its text with its comments, under another name."""

from __future__ import annotations

import json
import re
from pathlib import Path

from symposia.errors import UsageError
from symposia.host import Host
from symposia.recipes.layers import anchored
from symposia.records import JsonObject
from symposia.yamldoc import KeyPath, parse_yaml

__all__ = ["scaffold"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def scaffold(name: str, like: str, host: Host) -> str:
    """The text of a new recipe.

    Args:
        name: Its name.
        like: The shipped recipe whose text it takes.
        host: Who ships recipes.

    Raises:
        UsageError: The name is none that a recipe may have.
        PluginError: No recipe of that name is shipped.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name for a recipe", "use small letters, digits and hyphens, at most 60")
    path = host.text("recipe", like).path
    text = path.read_text(encoding="utf-8")
    doc = parse_yaml(text, str(path))
    assert isinstance(doc.value, dict)
    changes: list[tuple[tuple[int, int], str]] = []
    for key, value in _anchored_values(doc.value, path.parent):
        changes.append((doc.spans[key], _quoted(value)))
    if ("name",) in doc.spans:
        changes.append((doc.spans[("name",)], name))
    else:
        changes.append(((0, 0), f"name: {name}\n"))
    for (start, end), value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w./*-]+", text) and not text.startswith(("*", "-")) else json.dumps(text)


def _anchored_values(value: JsonObject, base: Path) -> list[tuple[KeyPath, str]]:
    """The relative paths in a recipe, as they must be written elsewhere."""
    moved = anchored(value, base.absolute())
    found: list[tuple[KeyPath, str]] = []
    if moved.get("constitution") != value.get("constitution"):
        found.append((("constitution",), str(moved["constitution"])))
    for part in ("source", "personas"):
        old, new = value.get(part), moved.get(part)
        if not (isinstance(old, dict) and isinstance(new, dict)) or old.get("path") == new.get("path"):
            continue
        paths = new["path"]
        if isinstance(paths, list):
            found += [((part, "path", number), str(item)) for number, item in enumerate(paths)]
        else:
            found.append(((part, "path"), str(paths)))
    return found
