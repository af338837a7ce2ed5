"""`symposia review`."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from symposia.cli.console import is_terminal, make_console, make_table, say, say_json, width
from symposia.cli.options import RUNS, RunRef, Runs, make_app, make_host

if TYPE_CHECKING:
    from symposia.cli.reviewing import Check
    from symposia.engine import RunResult
    from symposia.host import Host
    from symposia.records import HumanDecision
    from symposia.review.queue import ReviewQueue, Waiting

app = make_app()


@app.command()
def review(
    run: RunRef,
    reviewer: Annotated[
        str | None,
        typer.Option("--reviewer", envvar="SYMPOSIA_REVIEWER", help="Who decides; your login name if left out."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Only list what waits.")] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="Show judges' scores and objections from the start.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Read decisions as JSON lines from the standard input, or list as JSON.")
    ] = False,
    runs: Runs = RUNS,
) -> None:
    """Decide about the samples that wait for a person: accept, edit, reject, send back, skip.

    With --json each input line is an object: {"task": 3, "action": "accept" | "edit" | "reject" | "send_back",
    "note": "", "reasons": [], "edit": {}, "blind": false, "bulk": true, "content_hash": ""}. All but task and
    action may be left out. Nothing is stored unless every line is valid.

    Works while the run is going on; the run then gives each decision its place.
    """
    from symposia.cli.reviewing import LineReview, make_check
    from symposia.errors import UsageError
    from symposia.review.queue import ReviewQueue
    from symposia.store import RunStore, find_run

    folder = find_run(runs, run)
    host = make_host()
    with RunStore.open(folder, write=True) as store:
        queue = ReviewQueue(store)
        if listing:
            _list(queue, as_json)
            return
        name = reviewer or _login()
        if as_json:
            made = _from_lines(queue, make_check(store, host), name)
        elif not is_terminal(sys.stdin):
            raise UsageError(
                "reviewing needs a terminal", "pipe decisions as JSON lines with --json, or use --list"
            )
        else:
            samples = list(queue.waiting())
            say(f"{len(samples)} sample{'' if len(samples) == 1 else 's'} wait in {folder.name}")
            blind = store.recipe().review.blind and not open_
            sitting = LineReview(queue, name, blind, make_check(store, host), min(width(), 100), input)
            made = sitting.run(samples)
    _settle(folder, host, made, as_json)


def _login() -> str:
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        return "someone"


def _list(queue: ReviewQueue, as_json: bool) -> None:
    found = list(queue.waiting())
    if as_json:
        say_json([_described(waiting) for waiting in found])
        return
    from symposia.report.text import shorten

    table = make_table("task", "policy", "chance", "draft", right=("task", "chance"))
    for waiting in found:
        best = waiting.negotiation.best
        chance = waiting.decision.selection_probability
        table.add_row(
            str(waiting.task),
            waiting.decision.policy or "–",
            f"{chance:g}" if chance is not None else "–",
            shorten(best.text, 120) if best else "–",
        )
    if found:
        make_console().print(table)
    else:
        say("nothing waits")


def _described(waiting: Waiting) -> dict[str, Any]:
    best = waiting.negotiation.best
    task = waiting.negotiation.ticket.task
    return {
        "task": waiting.task,
        "outcome": waiting.decision.outcome,
        "policy": waiting.decision.policy,
        "selection_probability": waiting.decision.selection_probability,
        "actions": list(waiting.actions),
        "seed": task.seed,
        "payload": best.payload if best else None,
        "content_hash": best.hash if best else None,
    }


def _from_lines(queue: ReviewQueue, check: Check, reviewer: str) -> list[HumanDecision]:
    """Decisions out of the standard input; stored only when all of them are valid."""
    from symposia.errors import UsageError

    made: list[HumanDecision] = []
    for number, raw in enumerate(sys.stdin, start=1):
        if raw.strip():
            human = _from_line(queue, check, reviewer, raw, f"line {number}")
            if any(human.task == earlier.task for earlier in made):
                raise UsageError(f"line {number}: task {human.task} was decided about in an earlier line")
            made.append(human)
    for human in made:
        queue.put(human)
    return made


def _from_line(queue: ReviewQueue, check: Check, reviewer: str, raw: str, where: str) -> HumanDecision:
    from pydantic import ValidationError

    from symposia.errors import SymposiaError, UsageError
    from symposia.review.lines import DecisionLine
    from symposia.yamldoc import problems_of, refuse

    try:
        line = DecisionLine.model_validate(orjson.loads(raw))
    except orjson.JSONDecodeError as exc:
        raise UsageError(f"{where}: not JSON: {exc}") from None
    except ValidationError as exc:
        error = refuse(problems_of(exc, DecisionLine), lambda _: where, where)
        raise UsageError(error.message, error.hint) from None
    try:
        waiting = queue.find(line.task)
        best = waiting.negotiation.best
        if line.content_hash and best is not None and line.content_hash != best.hash:
            raise UsageError(
                f"task {line.task} is another draft than the one that was decided about", "list it again"
            )
        edit = check(waiting, line.edit) if line.edit is not None else None
        return queue.record(
            waiting,
            reviewer=line.reviewer or reviewer,
            action=line.action,
            note=line.note,
            reasons=line.reasons,
            edit=edit,
            blind=line.blind,
            bulk=line.bulk,
        )
    except SymposiaError as exc:
        raise UsageError(f"{where}: {exc.message}", exc.hint) from None
    except ValueError as exc:
        raise UsageError(f"{where}: the edit is no valid draft: {exc}") from None


def _settle(folder: Path, host: Host, made: list[HumanDecision], as_json: bool) -> None:
    """Give the decisions their places, unless the run is going on: then it does so itself."""
    from symposia.engine import apply_reviews
    from symposia.errors import LockedError

    result: RunResult | None = None
    if made:
        try:
            result = asyncio.run(apply_reviews(folder, host=host, listeners=[_tell]))
        except LockedError:
            say("the run is going on; it gives the decisions their place", stderr=True)
    if as_json:
        state: dict[str, Any] = {"run": folder.name, "queued": len(made), "settled": result is not None}
        if result is not None:
            state |= {name: getattr(result, name) for name in ("state", "accepted", "rejected", "parked", "failed")}
        say_json(state)
        return
    say(f"{len(made)} decided")
    if result is not None:
        counts = f"{result.accepted} accepted, {result.rejected} rejected, {result.parked} parked"
        say(f"{result.run} is {result.state}: {counts}")
        if result.state != "complete" and not result.parked:
            say("run the same recipe again to draw on")


def _tell(event: Any) -> None:
    if event.kind == "notice":
        say(f"{event.level}: {event.message}", stderr=True)
