"""The plugin door: every hook, one sentence each.

Hooks are synchronous and stand at the edges; the work is asynchronous and lives behind the contracts. The
``register_*`` hooks take nothing and return offers; building an offer is what imports heavy libraries. A plugin is
a module with functions marked ``@symposia.hookimpl``, named in the entry-point group ``symposia``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from symposia.contracts import (
        Backend,
        Critic,
        Embedder,
        Evaluator,
        Exporter,
        Graph,
        Index,
        Judge,
        NoveltyCheck,
        Personas,
        Reviewer,
        Sandbox,
        Source,
        Tool,
        Trainer,
        Verifier,
    )
    from symposia.offers import Offer, TextOffer
    from symposia.records import Event

__all__ = ["PROJECT", "SymposiaSpec", "hookimpl", "hookspec"]

PROJECT = "symposia"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class SymposiaSpec(Protocol):
    """All hooks. Implement any of them."""

    @hookspec
    def register_backends(self) -> Iterable[Offer[Backend]]:
        """Offer model backends: what answers a chat request."""

    @hookspec
    def register_embedders(self) -> Iterable[Offer[Embedder]]:
        """Offer embedders: what turns texts into vectors."""

    @hookspec
    def register_indexes(self) -> Iterable[Offer[Index]]:
        """Offer vector indexes: what proposes the nearest admitted samples."""

    @hookspec
    def register_novelty_checks(self) -> Iterable[Offer[NoveltyCheck]]:
        """Offer novelty checks: what says whether a draft is new."""

    @hookspec
    def register_sandboxes(self) -> Iterable[Offer[Sandbox]]:
        """Offer sandboxes: what runs code that nobody trusts."""

    @hookspec
    def register_sources(self) -> Iterable[Offer[Source]]:
        """Offer sources: where task seeds come from."""

    @hookspec
    def register_personas(self) -> Iterable[Offer[Personas]]:
        """Offer persona packs: who asks."""

    @hookspec
    def register_constitutions(self) -> Iterable[TextOffer]:
        """Offer constitutions: YAML files of principles."""

    @hookspec
    def register_verifiers(self) -> Iterable[Offer[Verifier]]:
        """Offer verifiers: what checks a draft against the world."""

    @hookspec
    def register_critics(self) -> Iterable[Offer[Critic]]:
        """Offer critics: what holds a draft against a constitution."""

    @hookspec
    def register_judges(self) -> Iterable[Offer[Judge]]:
        """Offer judges: what scores the draft that survived."""

    @hookspec
    def register_tools(self) -> Iterable[Offer[Tool]]:
        """Offer tools: what a sample's conversation may call."""

    @hookspec
    def register_graphs(self) -> Iterable[Offer[Graph]]:
        """Offer graphs: how roles negotiate a method's samples."""

    @hookspec
    def register_recipes(self) -> Iterable[TextOffer]:
        """Offer recipes: YAML files that a run can start from."""

    @hookspec
    def register_exporters(self) -> Iterable[Offer[Exporter]]:
        """Offer exporters: what writes accepted samples in a format."""

    @hookspec
    def register_trainers(self) -> Iterable[Offer[Trainer]]:
        """Offer trainers: what turns a dataset into weights."""

    @hookspec
    def register_evaluators(self) -> Iterable[Offer[Evaluator]]:
        """Offer evaluators: what measures a model on held-out tasks."""

    @hookspec
    def register_reviewers(self) -> Iterable[Offer[Reviewer]]:
        """Offer review surfaces: where people decide."""

    @hookspec
    def register_commands(self, cli: Any) -> None:
        """Add commands to the `typer.Typer` application ``cli``; import what they need inside them."""

    @hookspec(firstresult=True)
    def resolve_secret(self, name: str) -> str | None:
        """Give the value of the secret ``name``, or None to let the next plugin and then the environment answer."""

    @hookspec
    def on_event(self, event: Event) -> None:
        """Hear what happens in a run; an error in here is reported once and never stops the run."""
