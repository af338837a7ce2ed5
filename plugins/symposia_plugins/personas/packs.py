"""Persona packs in YAML; a mistake in one is reported with file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symposia.errors import RecipeError
from symposia.records import Persona, PersonaPack
from symposia.yamldoc import read_yaml, validate

__all__ = ["PackFile", "read_pack"]


class PackFile:
    """The personas of one YAML file.

    Args:
        path: The file.

    Raises:
        RecipeError: The file can't be read, is no YAML, or holds something that is no persona; the message names
            the line.
    """

    def __init__(self, path: Path) -> None:
        self._pack = read_pack(path)

    def personas(self) -> Sequence[Persona]:
        """All personas, in the order of the file."""
        return self._pack.personas


def read_pack(path: Path) -> PersonaPack:
    """The pack in a YAML file.

    Raises:
        RecipeError: As for `PackFile`.
    """
    doc = read_yaml(path)
    pack = validate(doc, PersonaPack, "persona pack")
    seen: dict[str, int] = {}
    for number, persona in enumerate(pack.personas):
        first = seen.setdefault(persona.id, number)
        if first != number:
            raise RecipeError(
                f"{doc.place(('personas', number, 'id'))}: persona id '{persona.id}' stands twice, first at "
                f"{doc.place(('personas', first, 'id'))}",
                "give each persona an id of its own",
            )
    return pack
