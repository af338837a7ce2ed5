"""Built-in personas: the pack ``everyday``, and packs in YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Personas

__all__ = ["FileParams", "register_personas"]

_HERE = Path(__file__).parent


class FileParams(symposia.Params):
    """Parameters of the persona pack ``file``.

    Attributes:
        path: A YAML file with ``name`` and ``personas``, relative to the recipe's folder.
    """

    path: str


def _build_everyday(params: symposia.Params, bench: symposia.BuildContext) -> Personas:
    from symposia_plugins.personas.packs import PackFile

    return PackFile(_HERE / "everyday.yaml")


def _build_file(params: FileParams, bench: symposia.BuildContext) -> Personas:
    from symposia_plugins.personas.packs import PackFile

    return PackFile(bench.base / Path(params.path).expanduser())


@symposia.hookimpl
def register_personas() -> list[symposia.Offer[Personas]]:
    """Offer ``everyday`` and ``file``."""
    return [
        symposia.Offer("everyday", _build_everyday, "People of many ages, trades, moods and regions."),
        symposia.Offer("file", _build_file, "A persona pack of your own, in a YAML file.", FileParams),
    ]
