"""`symposia plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symposia.cli.console import make_console, make_table, say, say_json
from symposia.cli.options import AsJson, make_app, make_host

if TYPE_CHECKING:
    from symposia.host import Host

app = make_app()


@app.command()
def plugins(
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only offers of this kind, for example verifier.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what plugins offer: kind, name, owner, version, and what to install for what is missing."""
    host = make_host()
    offers = _offers(host, kind)
    broken = [
        {
            "plugin": b.owner.plugin,
            "distribution": b.owner.distribution,
            "version": b.owner.version,
            "error": b.error,
        }
        for b in host.broken
    ]
    if as_json:
        say_json({"offers": offers, "broken": broken})
        return
    table = make_table("kind", "name", "owner", "what it is", whole=("kind", "name"))
    for offer in offers:
        need = (
            f"\nneeds {', '.join(offer['missing'])}: {offer['install'] or 'install it'}" if offer["missing"] else ""
        )
        table.add_row(
            offer["kind"], offer["name"], f"{offer['distribution']} {offer['version']}", f"{offer['summary']}{need}"
        )
    make_console().print(table)
    for plugin in broken:
        say(f"broken: {plugin['distribution']} {plugin['version']} ({plugin['plugin']}): {plugin['error']}")
    if broken:
        say("A broken plugin is left out; update or uninstall it, or name it in SYMPOSIA_BLOCK_PLUGINS.")


def _offers(host: Host, kind: str | None) -> list[dict[str, Any]]:
    from symposia.errors import UsageError, did_you_mean
    from symposia.offers import KINDS

    if kind is not None and kind.replace("-", "_") not in KINDS:
        raise UsageError(f"'{kind}' is no kind of offer", did_you_mean(kind, list(KINDS)))
    return [
        {
            "kind": owned.kind,
            "name": owned.name,
            "plugin": owned.owner.plugin,
            "distribution": owned.owner.distribution,
            "version": owned.owner.version,
            "summary": owned.offer.summary,
            "missing": list(owned.missing),
            "install": owned.install if owned.missing else "",
        }
        for owned in host.offers()
        if kind is None or owned.kind == kind.replace("-", "_")
    ]
