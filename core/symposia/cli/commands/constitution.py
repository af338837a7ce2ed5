"""`symposia constitution`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symposia.cli.console import is_terminal, make_console, make_table, say, say_json, show_path
from symposia.cli.options import RUNS, AsJson, Runs, make_app, make_host

if TYPE_CHECKING:
    from symposia.constitutions import Finding
    from symposia.host import Host
    from symposia.records import Constitution

app = make_app()

Ref = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="Name of a shipped constitution, or path of a YAML file.")
]


@app.callback()
def constitution() -> None:
    """List, show and lint constitutions."""


@app.command("ls")
def list_constitutions(as_json: AsJson = False) -> None:
    """List the constitutions that ship."""
    from symposia.constitutions import load_constitution

    host = make_host()
    rows = []
    for owned in host.offers("constitution"):
        loaded = load_constitution(owned.name, base=Path.cwd(), host=host)
        rows.append((owned.name, len(loaded.principles), owned.offer.summary, str(owned.owner.distribution)))
    if as_json:
        names = ("name", "principles", "summary", "distribution")
        say_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = make_table("name", "principles", "what it is", "owner", right=("principles",), whole=("name",))
    for name, count, summary, owner in rows:
        table.add_row(name, str(count), summary, owner)
    make_console().print(table)


@app.command()
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show the principles of a constitution."""
    from symposia.constitutions import load_constitution

    loaded = load_constitution(ref, base=Path.cwd(), host=make_host())
    if as_json:
        say_json({**loaded.model_dump(mode="json"), "hash": loaded.hash})
        return
    from symposia.cli.console import width
    from symposia.report.text import wrap

    columns = min(width(), 100)
    say(f"{loaded.name} {loaded.version} · {len(loaded.principles)} principles · {loaded.hash[:12]}")
    for line in wrap(loaded.description, columns) if loaded.description else ():
        say(line)
    for principle in loaded.principles:
        say()
        category = f" · {principle.category}" if principle.category else ""
        say(f"{principle.id} · {principle.severity}{category}")
        for label, text in (
            ("", principle.text),
            ("applies: ", principle.applicability),
            ("good: ", principle.positive),
            ("bad: ", principle.negative),
            ("in tension with: ", ", ".join(principle.conflicts_with)),
        ):
            for line in wrap(text, columns, "    ", f"  {label}") if text else ():
                say(line)


@app.command()
def lint(
    ref: Ref,
    run: Annotated[str | None, typer.Option("--run", help="Name principles that never fired in this run.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="BACKEND/MODEL", help="Ask this model which principles contradict each other."
        ),
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Address of the model's server.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option("--api-key-env", metavar="NAME", help="Environment variable that holds its key.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Find duplicate ids, missing examples and conflicts; with --run what never fires, with --model an opinion."""
    from symposia.constitutions import find_constitution, lint_constitution, load_constitution

    host = make_host()
    path = find_constitution(ref, base=Path.cwd(), host=host)
    found = lint_constitution(Path(show_path(path)))
    broken = any(finding.level == "error" and finding.rule != "unknown-conflict" for finding in found)
    if (run or model) and not broken:
        loaded = load_constitution(ref, base=Path.cwd(), host=host)
        if run:
            found += _never_fired(loaded, run, runs)
        if model:
            found += asyncio.run(_opinions(loaded, host, runs, model, base_url, api_key_env))
    _print(found, as_json)
    bad = {"error", "warning"} if strict else {"error"}
    if any(finding.level in bad for finding in found):
        raise typer.Exit(2)


def _never_fired(loaded: Constitution, run: str, runs: Path) -> list[Finding]:
    from symposia.constitutions import count_objections, find_never_fired
    from symposia.store import RunStore, find_run

    with RunStore.open(find_run(runs, run)) as store:
        return find_never_fired(loaded, *count_objections(store.negotiations()))


async def _opinions(
    loaded: Constitution, host: Host, runs: Path, model: str, base_url: str | None, api_key_env: str | None
) -> list[Finding]:
    from pydantic import ValidationError

    from symposia.constitutions import find_suspected_contradictions
    from symposia.errors import UsageError
    from symposia.host import Workbench
    from symposia.llm import Budget, Ledger, Seating
    from symposia.records import RoleSpec
    from symposia.store import LEDGER_FILE

    if "/" not in model:
        raise UsageError(
            f"--model {model} does not name a backend", "write <backend>/<model>, for example local/smollm2"
        )
    try:
        spec = RoleSpec(model=model, temperature=0.0, base_url=base_url, api_key_env=api_key_env)
    except ValidationError:
        raise UsageError(
            f"--model {model} does not name a backend", "write <backend>/<model>, for example local/smollm2"
        ) from None
    runs.mkdir(parents=True, exist_ok=True)
    ledger = await Ledger.open(runs / LEDGER_FILE)
    bench = Workbench(host, Path.cwd())
    seating = Seating(
        bench, ledger, run="constitution-lint", run_seed=0, in_flight=8, budget=Budget(None, None), frozen=None
    )
    try:
        seated = await seating.seat("critic", spec)
        return await find_suspected_contradictions(loaded, seated, _show_progress if is_terminal() else None)
    finally:
        await seating.close()
        await ledger.close()


def _show_progress(done: int, of: int) -> None:
    end = "\n" if done == of else ""
    typer.echo(f"\r{done} of {of} pairs asked{end}", nl=False, err=True)


def _print(found: list[Finding], as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        say_json([asdict(finding) for finding in found])
        return
    from rich.text import Text

    console = make_console()
    styles = {"error": "red", "warning": "yellow", "note": "dim", "opinion": "magenta"}
    for finding in found:
        place = f"{finding.place}: " if finding.place else ""
        line = Text.assemble(
            place, (f"{finding.level}", styles[finding.level]), f" [{finding.rule}] ", _safe(finding.message)
        )
        console.print(line, soft_wrap=True)
    counts = {level: sum(1 for finding in found if finding.level == level) for level in styles}
    told = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items() if count)
    say(told or "nothing found")


def _safe(text: str) -> str:
    from symposia.report.text import one_line

    return one_line(text)
