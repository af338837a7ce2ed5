"""Lazy offers: what a plugin has to give, described without importing what it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from symposia.records import JsonObject

__all__ = ["KINDS", "BackendParams", "BuildContext", "Kind", "Offer", "Params", "TextOffer"]

T_co = TypeVar("T_co", covariant=True)

Kind = Literal[
    "backend",
    "embedder",
    "index",
    "novelty_check",
    "sandbox",
    "source",
    "personas",
    "constitution",
    "verifier",
    "critic",
    "judge",
    "tool",
    "graph",
    "recipe",
    "exporter",
    "trainer",
    "evaluator",
    "reviewer",
]

KINDS: dict[Kind, str] = {
    "backend": "register_backends",
    "embedder": "register_embedders",
    "index": "register_indexes",
    "novelty_check": "register_novelty_checks",
    "sandbox": "register_sandboxes",
    "source": "register_sources",
    "personas": "register_personas",
    "constitution": "register_constitutions",
    "verifier": "register_verifiers",
    "critic": "register_critics",
    "judge": "register_judges",
    "tool": "register_tools",
    "graph": "register_graphs",
    "recipe": "register_recipes",
    "exporter": "register_exporters",
    "trainer": "register_trainers",
    "evaluator": "register_evaluators",
    "reviewer": "register_reviewers",
}
"""The hook that collects each kind of offer."""


class Params(BaseModel):
    """Parameters of a part, as a recipe gives them; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BackendParams(Params):
    """What every backend is built from; the fields come from a role of the recipe.

    Attributes:
        model: Model name at the backend.
        base_url: Address of the server, where the backend has one.
        api_key_env: Name of the secret that holds the key.
        parallel: How many requests the run will keep in flight at most.
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    parallel: int = 16


class BuildContext(Protocol):
    """What a part may use while it is built."""

    @property
    def base(self) -> Path:
        """Folder against which relative paths of a recipe are read."""

    @property
    def folder(self) -> Path | None:
        """The run's folder, where a part may keep files; None outside a run."""

    def secret(self, name: str) -> str | None:
        """The value of a secret, from plugins, the environment or ``.env``."""

    def build(self, kind: Kind, name: str, params: JsonObject) -> Any:
        """Build another part, for example the embedder of a novelty check."""


@dataclass(frozen=True)
class Offer(Generic[T_co]):
    """A part that can be built.

    Attributes:
        name: Kebab-case name by which recipes call it.
        build: Makes the part; heavy imports happen in here.
        summary: One sentence for ``symposia plugins``.
        params: Model of its parameters.
        extra: The extra of its distribution that brings what it imports, for example ``chroma``.
        requires: Importable modules it needs; looked for, not imported, by ``symposia plugins`` and ``doctor``.
    """

    name: str
    build: Callable[[Any, BuildContext], T_co]
    summary: str
    params: type[Params] = Params
    extra: str | None = None
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextOffer:
    """A text that ships with a plugin: a constitution or a recipe in YAML.

    Attributes:
        name: Kebab-case name by which it is called.
        path: The file; relative paths inside the text are read from its folder.
        summary: One sentence.
    """

    name: str
    path: Path
    summary: str
