"""Every hook, called through a host: what a plugin gives comes out, and a raising one stops nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from symposia import hookimpl
from symposia.host import Host
from symposia.offers import KINDS, BuildContext, Kind, Offer, Params, TextOffer
from symposia.records import Event, NoticeGiven
from symposia.secrets import redact


def build(params: Params, context: BuildContext) -> str:
    return "built"


def plugin_with(hook: str, given: list[Any]) -> object:
    def give(self: object) -> list[Any]:
        return given

    give.__name__ = hook
    return type("Plugin", (), {"__name__": "probe", hook: hookimpl(give)})()


def check_offer_hook(hook: str) -> None:
    kind: Kind = next(kind for kind, name in KINDS.items() if name == hook)
    texts = kind in ("constitution", "recipe")
    given = TextOffer("probe", Path("x.yaml"), "A text.") if texts else Offer("probe", build, "A part.")
    host = Host(extra=[plugin_with(hook, [given])])
    assert host.broken == []
    assert host.find(kind, "probe").offer is given


def test_hook_register_backends() -> None:
    check_offer_hook("register_backends")


def test_hook_register_embedders() -> None:
    check_offer_hook("register_embedders")


def test_hook_register_indexes() -> None:
    check_offer_hook("register_indexes")


def test_hook_register_novelty_checks() -> None:
    check_offer_hook("register_novelty_checks")


def test_hook_register_sandboxes() -> None:
    check_offer_hook("register_sandboxes")


def test_hook_register_sources() -> None:
    check_offer_hook("register_sources")


def test_hook_register_personas() -> None:
    check_offer_hook("register_personas")


def test_hook_register_constitutions() -> None:
    check_offer_hook("register_constitutions")


def test_hook_register_verifiers() -> None:
    check_offer_hook("register_verifiers")


def test_hook_register_critics() -> None:
    check_offer_hook("register_critics")


def test_hook_register_judges() -> None:
    check_offer_hook("register_judges")


def test_hook_register_tools() -> None:
    check_offer_hook("register_tools")


def test_hook_register_graphs() -> None:
    check_offer_hook("register_graphs")


def test_hook_register_recipes() -> None:
    check_offer_hook("register_recipes")


def test_hook_register_exporters() -> None:
    check_offer_hook("register_exporters")


def test_hook_register_trainers() -> None:
    check_offer_hook("register_trainers")


def test_hook_register_evaluators() -> None:
    check_offer_hook("register_evaluators")


def test_hook_register_reviewers() -> None:
    check_offer_hook("register_reviewers")


def test_hook_register_commands() -> None:
    class Commands:
        __name__ = "commands"

        @hookimpl
        def register_commands(self, cli: list[str]) -> None:
            cli.append("greet")

    class Broken:
        __name__ = "broken"

        @hookimpl
        def register_commands(self, cli: list[str]) -> None:
            raise RuntimeError("no")

    cli: list[str] = []
    host = Host(extra=[Commands(), Broken()])
    host.commands(cli)
    assert cli == ["greet"]
    assert host.broken[0].error == "register_commands: RuntimeError: no"


def test_hook_resolve_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Vault:
        __name__ = "vault"

        @hookimpl
        def resolve_secret(self, name: str) -> str | None:
            return "from-the-vault" if name == "VAULT_KEY" else None

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DOTENV_KEY=from-dot-env\nENV_KEY=hidden-by-env\n")
    monkeypatch.setenv("ENV_KEY", "from-the-environment")
    monkeypatch.setenv("VAULT_KEY", "from-the-environment")
    host = Host(extra=[Vault()])
    assert host.secret("VAULT_KEY") == "from-the-vault"
    assert host.secret("ENV_KEY") == "from-the-environment"
    assert host.secret("DOTENV_KEY") == "from-dot-env"
    assert host.secret("NO_SUCH_KEY") is None
    assert redact("key from-the-vault here") == "key *** here"


def test_hook_on_event() -> None:
    heard: list[Event] = []

    class Ear:
        __name__ = "ear"

        @hookimpl
        def on_event(self, event: Event) -> None:
            heard.append(event)

    class Deaf:
        __name__ = "deaf"

        @hookimpl
        def on_event(self, event: Event) -> None:
            raise ValueError("too loud")

    host = Host(extra=[Ear(), Deaf()])
    event = NoticeGiven(message="hello")
    assert host.emit(event) == ["plugin deaf 0 (deaf) failed in on_event: ValueError: too loud"]
    assert host.emit(event) == []
    assert heard == [event, event]
