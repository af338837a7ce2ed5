"""`symposia demo`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from symposia.cli.console import is_terminal, make_console, make_table, print_lines, say, width
from symposia.cli.options import RUNS, Runs, Samples, Seed, make_app, make_host

if TYPE_CHECKING:
    from symposia.cli.progress import Screen, Standing
    from symposia.engine import RunResult
    from symposia.host import Host
    from symposia.recipes import LoadedRecipe
    from symposia.records import Event, Negotiation, Sample

app = make_app()

_RECIPE = "demo"
_COLUMNS = ("question", "answer", "quote")
_REJECTED_SHOWN = 12


@app.command()
def demo(
    samples: Samples = None,
    seed: Seed = None,
    runs: Runs = RUNS,
) -> None:
    """Watch a small model on this machine negotiate a few samples.

    Fetches the model once, then runs the shipped recipe `demo` on a document that ships with Symposia. What is
    shown is what happens: every accepted sample passed its checks.
    """
    from symposia.cli.progress import Standing
    from symposia.cli.running import display, execute, say_next, sugar
    from symposia.recipes import load_recipe

    host = make_host()
    loaded = load_recipe(_RECIPE, host=host, overrides=sugar({"samples": samples, "seed": seed}))
    _fetch_models(loaded, host)
    _introduce(loaded)
    standing = Standing()
    with display(standing, quiet=False) as screen:
        told = _Told(loaded, host, standing, screen)
        result = execute(loaded, runs=runs, host=host, listeners=[told.hear], standing=standing)
    if not told.turns:
        _recall(result)
    _show_accepted(result)
    _show_rejected(result)
    _show_files(result, loaded.recipe.samples)
    say_next(result)
    raise typer.Exit(result.exit_code)


class _Told:
    """Tells the first accepted negotiation while it happens; then, how the run stands."""

    def __init__(self, loaded: LoadedRecipe, host: Host, standing: Standing, screen: Screen) -> None:
        from symposia.report.conversation import Conversation

        self._folder: Path | None = None
        self._loaded = loaded
        self._host = host
        self._standing = standing
        self._screen = screen
        self._conversation = Conversation(
            lambda lines: print_lines(lines, screen.console), self._look_up, self._seed_of, min(width(), 100)
        )
        self.turns = 0

    def hear(self, event: Event) -> None:
        """Take in what happened."""
        if event.kind == "run_started":
            self._folder = Path(event.folder)
        elif event.kind == "turn_taken":
            self.turns += 1
        self._conversation.hear(event)
        # Without a live display, lines about the run would only interrupt the conversation.
        hear = self._screen.hear if is_terminal() or self._conversation.is_over else self._standing.hear
        hear(event)

    @cached_property
    def _seeds(self) -> dict[str, str]:
        """The passages by name, as the recipe's source gives them."""
        from symposia.contracts import Source
        from symposia.host import Workbench

        spec = self._loaded.recipe.source
        if spec is None:
            return {}
        bench = Workbench(self._host, self._loaded.base)
        source = cast(Source, self._host.build("source", spec.use, spec.params, bench))
        return {row.id: str(row.fields.get("passage", "")) for row in source.rows()}

    def _seed_of(self, source_id: str) -> str:
        return self._seeds.get(source_id, "")

    def _look_up(self, task: int) -> Negotiation | None:
        from symposia.store import RunStore

        if self._folder is None:
            return None
        with RunStore.open(self._folder) as store:
            return store.negotiation(task)


def _fetch_models(loaded: LoadedRecipe, host: Host) -> None:
    from symposia.cli.pulling import pull_with_progress
    from symposia.errors import MissingExtraError
    from symposia.models import KNOWN, find
    from symposia.recipes.checking import roles_of

    for _, role in roles_of(loaded.recipe):
        owned = host.find("backend", role.backend)
        if owned.missing:
            raise MissingExtraError(
                f"the demo's model {role.model} needs {', '.join(owned.missing)}, which is not installed",
                owned.install,
            )
        if role.backend == "local" and role.model_name in KNOWN and find(role.model_name) is None:
            say(f"fetching {KNOWN[role.model_name].summary}, once:")
            say(f"it is at {pull_with_progress(role.model_name)}")


def _introduce(loaded: LoadedRecipe) -> None:
    recipe = loaded.recipe
    path = recipe.source.params.get("path") if recipe.source else None
    document = f" about {Path(str(path)).name}" if isinstance(path, str) else ""
    say(f"{recipe.roles.teacher.model} negotiates {recipe.samples} samples{document}.")
    say("It is a very small model, so most drafts do not pass; watch one after another until the first does.")


def _recall(result: RunResult) -> None:
    from symposia.report.transcript import transcript
    from symposia.store import RunStore

    say("This run was made before; `symposia demo --seed 1` makes another. Its first accepted negotiation was:")
    say()
    with RunStore.open(result.folder) as store:
        negotiation = next(store.negotiations("accepted"), None)
        if negotiation is not None:
            print_lines(transcript(negotiation, store.decision(negotiation.number), min(width(), 100)))


def _show_accepted(result: RunResult) -> None:
    from symposia.report.text import plain

    samples = list(result.samples())
    say()
    say(f"accepted: {len(samples)}")
    if not samples:
        return
    columns = _columns(samples[0])
    table = make_table("task", *columns, "from", right=("task",))
    for sample in samples:
        cells = [plain(str(sample.payload.get(column, ""))) for column in columns]
        table.add_row(str(sample.task), *cells, plain(sample.source_id or ""), end_section=True)
    make_console().print(table)


def _columns(sample: Sample) -> list[str]:
    known = [column for column in _COLUMNS if column in sample.payload]
    return known or [name for name, value in sample.payload.items() if isinstance(value, str)][:3]


def _show_rejected(result: RunResult) -> None:
    from symposia.report.text import one_line
    from symposia.store import RunStore

    with RunStore.open(result.folder) as store:
        causes = [found for found in store.causes() if found.outcome in {"rejected", "failed"}]
        total = sum(found.count for found in causes)
        say(f"rejected: {total}")
        if not total:
            return
        table = make_table("cause", "stage", "tasks", "for example", right=("tasks",))
        details: dict[tuple[str, str], str] = {}
        for outcome in ("rejected", "failed"):
            for _, decision in store.decisions(outcome):
                details.setdefault((decision.stage, decision.cause), decision.detail)
    for found in causes[:_REJECTED_SHOWN]:
        example = one_line(details.get((found.stage, found.cause), ""))
        table.add_row(found.cause or "–", found.stage, str(found.count), example)
    make_console().print(table)


def _show_files(result: RunResult, wanted: int) -> None:
    from symposia.cli.console import show_path
    from symposia.cli.progress import duration
    from symposia.report.transcript import usage_text

    say(f"{result.accepted} of {wanted} in {duration(result.seconds)} · {usage_text(result.usage)}")
    for path in result.exports:
        say(f"  the samples:          {show_path(path)}")
    say(f"  every conversation:   symposia show {result.run} TASK")
    say(f"  the run folder:       {show_path(result.folder)}")
    say("  your own documents:   symposia new my-recipe")
