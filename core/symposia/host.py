"""The plugin host: finds plugins, keeps broken ones from stopping the program, and builds what they offer."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pluggy
from pydantic import ValidationError

from symposia.errors import MissingExtraError, PluginError, RecipeError, boundary, did_you_mean
from symposia.hookspecs import PROJECT, SymposiaSpec
from symposia.offers import KINDS, Kind, Offer, TextOffer
from symposia.secrets import read_secret

if TYPE_CHECKING:
    from symposia.records import Event, JsonObject

__all__ = ["BrokenPlugin", "Host", "Owned", "Owner", "Workbench"]

ALLOW_ENV = "SYMPOSIA_PLUGINS"
BLOCK_ENV = "SYMPOSIA_BLOCK_PLUGINS"


@dataclass(frozen=True)
class Owner:
    """The plugin that offers something: its entry point, distribution and version."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.plugin})"


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be used, and why."""

    owner: Owner
    error: str


@dataclass(frozen=True)
class Owned:
    """An offer with its owner; `missing` names modules it needs that are not installed."""

    kind: Kind
    offer: Offer[Any] | TextOffer
    owner: Owner

    @property
    def name(self) -> str:
        """Name of the offer."""
        return self.offer.name

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Modules the offer needs that are not installed."""
        requires = self.offer.requires if isinstance(self.offer, Offer) else ()
        return tuple(name for name in requires if importlib.util.find_spec(name) is None)

    @property
    def install(self) -> str:
        """What to install so that the offer can be built; empty when nothing is known."""
        extra = self.offer.extra if isinstance(self.offer, Offer) else None
        return f"pip install '{self.owner.distribution}[{extra}]'" if extra else ""


class Host:
    """All plugins of one program. Made by a call, never global.

    Args:
        allow: Entry-point or distribution names to load, all others are left out; None for the environment's
            ``SYMPOSIA_PLUGINS`` (comma-separated, ``none`` for nothing but Symposia's own), else all.
        block: Names to leave out; None for the environment's ``SYMPOSIA_BLOCK_PLUGINS``.
        extra: Further plugin objects (modules or instances), for tests and scripts.

    Raises:
        PluginError: Two plugins have the same name, or two offers of one kind do.
    """

    def __init__(
        self,
        *,
        allow: Collection[str] | None = None,
        block: Collection[str] | None = None,
        extra: Iterable[object] = (),
    ) -> None:
        self._allow = _names(os.environ.get(ALLOW_ENV)) if allow is None else frozenset(allow)
        self._block = (_names(os.environ.get(BLOCK_ENV)) or frozenset()) if block is None else frozenset(block)
        self.broken: list[BrokenPlugin] = []
        self._owners: dict[object, Owner] = {}
        self._pm = pluggy.PluginManager(PROJECT)
        self._pm.add_hookspecs(SymposiaSpec)
        for entry in sorted(entry_points(group=PROJECT), key=lambda e: (e.name, _distribution(e)[0])):
            self._load(entry)
        for number, plugin in enumerate(extra):
            name = str(getattr(plugin, "__name__", f"extra-{number}"))
            self._register(plugin, Owner(name, name, "0"))
        self._deaf: set[str] = set()
        self._offers = self._collect()

    # -- loading --------------------------------------------------------------------------------------------

    def _wanted(self, entry: EntryPoint, distribution: str) -> bool:
        names = {entry.name, distribution}
        if names & self._block:
            return False
        return self._allow is None or distribution == PROJECT or bool(names & self._allow)

    def _load(self, entry: EntryPoint) -> None:
        distribution, version = _distribution(entry)
        owner = Owner(entry.name, distribution, version)
        if not self._wanted(entry, distribution):
            return
        twin = next((o for o in self._owners.values() if o.plugin == entry.name), None)
        if twin is not None:
            raise PluginError(
                f"plugin name '{entry.name}' is taken twice: by {twin.distribution} and by {distribution}",
                f"leave one out: {BLOCK_ENV}={distribution}",
            )
        try:
            plugin = entry.load()
        except Exception as exc:
            self.broken.append(BrokenPlugin(owner, f"{type(exc).__name__}: {exc}"))
            return
        self._register(plugin, owner)

    def _register(self, plugin: object, owner: Owner) -> None:
        try:
            self._pm.register(plugin, name=owner.plugin)
            self._pm.check_pending()
        except pluggy.PluginValidationError as exc:
            self._pm.unregister(plugin)
            self.broken.append(BrokenPlugin(owner, str(exc)))
            return
        self._owners[plugin] = owner

    def _collect(self) -> dict[Kind, dict[str, Owned]]:
        offers: dict[Kind, dict[str, Owned]] = {kind: {} for kind in KINDS}
        for kind, hook in KINDS.items():
            for impl in getattr(self._pm.hook, hook).get_hookimpls():
                owner = self._owners[impl.plugin]
                try:
                    given = list(impl.function())
                except Exception as exc:
                    self.broken.append(BrokenPlugin(owner, f"{hook}: {type(exc).__name__}: {exc}"))
                    continue
                for offer in given:
                    _add(offers[kind], Owned(kind, offer, owner))
        return {kind: dict(sorted(found.items())) for kind, found in offers.items()}

    # -- looking up -----------------------------------------------------------------------------------------

    def offers(self, kind: Kind | None = None) -> list[Owned]:
        """All offers, of one kind or of every kind, sorted by kind and name."""
        kinds = [kind] if kind else list(KINDS)
        return [owned for k in kinds for owned in self._offers[k].values()]

    def find(self, kind: Kind, name: str) -> Owned:
        """One offer by name.

        Raises:
            PluginError: There is none; the message names near ones and broken plugins.
        """
        owned = self._offers[kind].get(name)
        if owned is not None:
            return owned
        hint = did_you_mean(name, list(self._offers[kind]))
        if self.broken:
            quoted = "; ".join(f"{b.owner.distribution} ({b.owner.plugin}): {b.error}" for b in self.broken)
            hint += f"; broken plugins may have offered it: {quoted}"
        elif not self._owners:
            hint = "no plugin is installed, not even Symposia's own: install the project (pip install -e .)"
        raise PluginError(f"no {kind.replace('_', ' ')} is called '{name}'", hint)

    def text(self, kind: Kind, name: str) -> TextOffer:
        """A constitution or recipe by name."""
        return cast(TextOffer, self.find(kind, name).offer)

    def params(self, kind: Kind, name: str, params: JsonObject) -> Any:
        """Validated parameters of an offer.

        Raises:
            RecipeError: A parameter is unknown or of the wrong type.
        """
        offer = cast("Offer[Any]", self.find(kind, name).offer)
        try:
            return offer.params.model_validate(params)
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            hint = ""
            if first["type"] == "extra_forbidden":
                hint = did_you_mean(str(first["loc"][-1]), list(offer.params.model_fields))
            raise RecipeError(f"{kind.replace('_', ' ')} '{name}': {where}: {first['msg']}", hint) from None

    def build(self, kind: Kind, name: str, params: JsonObject, bench: Workbench) -> Any:
        """Build a part.

        Raises:
            PluginError: There is no such part.
            MissingExtraError: It needs a library that is not installed.
            RecipeError: A parameter is wrong.
        """
        owned = self.find(kind, name)
        checked = self.params(kind, name, params)
        offer = cast("Offer[Any]", owned.offer)
        if owned.missing:
            needs = ", ".join(owned.missing)
            raise MissingExtraError(
                f"{kind.replace('_', ' ')} '{name}' needs {needs}, which is not installed", owned.install
            )
        with boundary(PluginError, f"{kind.replace('_', ' ')} '{name}' of {owned.owner} could not be built"):
            return offer.build(checked, bench)

    def commands(self, cli: Any) -> None:
        """Let plugins add commands; one that fails is listed as broken."""
        for impl in self._pm.hook.register_commands.get_hookimpls():
            try:
                impl.function(cli)
            except Exception as exc:
                owner = self._owners[impl.plugin]
                self.broken.append(BrokenPlugin(owner, f"register_commands: {type(exc).__name__}: {exc}"))

    def secret(self, name: str) -> str | None:
        """A secret, from plugins first, then the environment, then ``.env``."""
        value = self._pm.hook.resolve_secret(name=name)
        return read_secret(name, cast("str | None", value))

    def emit(self, event: Event) -> list[str]:
        """Tell all plugins; give one line for each that failed for the first time."""
        failed = []
        for impl in self._pm.hook.on_event.get_hookimpls():
            owner = self._owners[impl.plugin]
            try:
                impl.function(event)
            except Exception as exc:
                if owner.plugin not in self._deaf:
                    self._deaf.add(owner.plugin)
                    failed.append(f"plugin {owner} failed in on_event: {type(exc).__name__}: {exc}")
        return failed


@dataclass(frozen=True)
class Workbench:
    """The place where parts are built; implements `symposia.offers.BuildContext`."""

    host: Host
    base: Path
    folder: Path | None = None

    def secret(self, name: str) -> str | None:
        """The value of a secret."""
        return self.host.secret(name)

    def build(self, kind: Kind, name: str, params: JsonObject) -> Any:
        """Build a part on this bench."""
        return self.host.build(kind, name, params, self)


def _add(found: dict[str, Owned], owned: Owned) -> None:
    other = found.get(owned.name)
    if other is not None:
        raise PluginError(
            f"{owned.kind.replace('_', ' ')} '{owned.name}' is offered twice: by {other.owner} "
            f"and by {owned.owner}",
            f"leave one out: {BLOCK_ENV}={owned.owner.distribution}",
        )
    found[owned.name] = owned


def _names(text: str | None) -> frozenset[str] | None:
    if text is None or not text.strip():
        return None
    return frozenset(part.strip() for part in text.split(",") if part.strip() and part.strip() != "none")


def _distribution(entry: EntryPoint) -> tuple[str, str]:
    dist = entry.dist
    return (dist.name, dist.version) if dist is not None else ("unknown", "0")
