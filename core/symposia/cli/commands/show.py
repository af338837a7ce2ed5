"""`symposia show`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symposia.cli.console import make_console, make_table, print_lines, say, say_json, show_path, width
from symposia.cli.options import RUNS, AsJson, RunRef, Runs, make_app

if TYPE_CHECKING:
    from symposia.records import Decision, Negotiation
    from symposia.store import RunStore

app = make_app()

_OUTCOMES = ("accepted", "rejected", "parked", "failed", "withdrawn")


@app.command()
def show(
    run: RunRef,
    task: Annotated[int | None, typer.Argument(help="Number of a task.", min=0)] = None,
    number: Annotated[int | None, typer.Option("--task", help="Number of a task.", min=0)] = None,
    accepted: Annotated[bool, typer.Option("--accepted", help="Conversations of accepted tasks.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="Conversations of rejected tasks.")] = False,
    parked: Annotated[bool, typer.Option("--parked", help="Conversations that wait for a person.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Conversations of failed tasks.")] = False,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Conversations of withdrawn tasks.")] = False,
    cause: Annotated[str | None, typer.Option("--cause", help="Only tasks whose cause begins so.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="Most tasks to show.", min=1)] = 20,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Show a run, or the whole conversation about one or more of its tasks."""
    from symposia.store import RunStore, find_run

    flags = dict(zip(_OUTCOMES, (accepted, rejected, parked, failed, withdrawn), strict=True))
    wanted = [outcome for outcome, flag in flags.items() if flag]
    chosen = task if task is not None else number
    with RunStore.open(find_run(runs, run)) as store:
        if chosen is not None:
            _show_task(store, chosen, as_json)
        elif wanted or cause is not None:
            _show_tasks(store, wanted or [*_OUTCOMES], cause, limit, as_json)
        else:
            _show_run(store, limit, as_json)


def _show_task(store: RunStore, task: int, as_json: bool) -> None:
    from symposia.errors import UsageError

    decision = store.decision(task)
    if decision is None:
        last = store.next_task() - 1
        raise UsageError(
            f"run {store.folder.name} has no task {task}",
            f"its tasks are 0 to {last}" if last >= 0 else "no task of it is settled yet",
        )
    _print(store.negotiation(task), decision, task, as_json)


def _print(negotiation: Negotiation | None, decision: Decision, task: int, as_json: bool) -> None:
    if as_json:
        say_json(_as_json(task, decision, negotiation), line=False)
        return
    from symposia.report.transcript import decision_lines, transcript

    columns = min(width(), 110)
    if negotiation is None:
        say(f"task {task} has no conversation")
        print_lines(decision_lines(decision, columns))
    else:
        print_lines(transcript(negotiation, decision, columns))


def _as_json(task: int, decision: Decision, negotiation: Negotiation | None) -> dict[str, Any]:
    return {
        "task": task,
        "decision": decision.model_dump(mode="json"),
        "negotiation": negotiation.model_dump(mode="json") if negotiation else None,
    }


def _show_tasks(store: RunStore, outcomes: list[str], cause: str | None, limit: int, as_json: bool) -> None:
    found = [
        (task, decision)
        for outcome in outcomes
        for task, decision in islice(_matching(store, outcome, cause), limit)
    ]
    found = sorted(found, key=lambda item: item[0])[:limit]
    if as_json:
        say_json([_as_json(task, decision, store.negotiation(task)) for task, decision in found])
        return
    if not found:
        say("no task is like that")
    for place, (task, decision) in enumerate(found):
        if place:
            say()
        _print(store.negotiation(task), decision, task, as_json=False)


def _matching(store: RunStore, outcome: str, cause: str | None) -> Iterator[tuple[int, Decision]]:
    for task, decision in store.decisions(outcome):
        if cause is None or decision.cause.startswith(cause):
            yield task, decision


def _show_run(store: RunStore, limit: int, as_json: bool) -> None:
    from dataclasses import asdict

    from symposia.report.transcript import usage_text

    recipe, counts, usage = store.recipe(), store.counts(), store.usage()
    causes = store.causes()
    if as_json:
        say_json(
            {
                "run": store.folder.name,
                "folder": str(store.folder),
                "state": store.state(),
                "counts": asdict(counts),
                "causes": [asdict(cause) for cause in causes],
                "usage": usage.model_dump(mode="json"),
                "recipe": recipe.model_dump(mode="json"),
            }
        )
        return
    say(f"{store.folder.name} · {store.state()} · {show_path(store.folder)}")
    say(f"graph {recipe.graph} · teacher {recipe.roles.teacher.model} · seed {recipe.seed}")
    say(
        f"{counts.accepted} of {recipe.samples} accepted, {counts.rejected} rejected, {counts.parked} parked, "
        f"{counts.failed} failed, {counts.withdrawn} withdrawn"
    )
    say(usage_text(usage))
    table = make_table("outcome", "stage", "cause", "tasks", right=("tasks",))
    for found in causes:
        table.add_row(found.outcome, found.stage, found.cause or "–", str(found.count))
    console = make_console()
    console.print(table)
    tasks = make_table("task", "outcome", "cause", "said", right=("task",), whole=("outcome",))
    for task, decision in islice(store.decisions(), limit):
        tasks.add_row(str(task), decision.outcome, decision.cause or "–", _first_words(store.negotiation(task)))
    console.print(tasks)
    more = counts.settled - limit
    if more > 0:
        say(f"… and {more} more; --limit N shows them")
    say(f"a whole conversation: symposia show {store.folder.name} TASK")


def _first_words(negotiation: Negotiation | None) -> str:
    from symposia.report.text import shorten

    draft = None if negotiation is None else negotiation.best or (negotiation.drafts or (None,))[-1]
    return shorten(draft.text, 90) if draft is not None else "–"
