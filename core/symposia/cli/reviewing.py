"""Reviewing in lines: a sample is shown, a letter decides."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symposia.cli.console import print_lines, say, say_error
from symposia.errors import RecipeError, SymposiaError, UsageError
from symposia.records import HumanDecision, JsonObject, JsonValue, ReviewAction
from symposia.report.transcript import Line, draft_lines, task_lines, transcript, verdict_lines
from symposia.review.queue import REASONS, ReviewQueue, Waiting
from symposia.yamldoc import parse_yaml

if TYPE_CHECKING:
    from symposia.host import Host
    from symposia.store import RunStore

__all__ = ["LineReview", "edit_text", "make_check"]

Check = Callable[[Waiting, JsonObject], JsonObject]
"""Gives the normal form of an edited payload; raises `ValueError` that says what is wrong with it."""

_KEYS = {"a": "accept", "e": "edit", "r": "reject", "b": "send_back"}


class _Left(Exception):
    """The reviewer has had enough."""


@dataclass
class LineReview:
    """One person's sitting.

    Attributes:
        queue: What waits.
        reviewer: Who decides.
        blind: Whether judges' scores and the critic's objections are hidden until the decision.
        check: Validates an edit.
        width: Longest line, characters.
        ask: Asks for a line; raises `EOFError` when there is none.
    """

    queue: ReviewQueue
    reviewer: str
    blind: bool
    check: Check
    width: int
    ask: Callable[[str], str]

    def run(self, samples: list[Waiting]) -> list[HumanDecision]:
        """Show samples one after another and queue each decision as soon as it is made."""
        made: list[HumanDecision] = []
        for place, waiting in enumerate(samples, start=1):
            say()
            say(f"── {place} of {len(samples)} · task {waiting.task} ".ljust(self.width, "─"))
            self._show(waiting, self.blind)
            try:
                human = self._decide(waiting)
            except (_Left, EOFError):
                break
            if human is not None:
                self.queue.put(human)
                made.append(human)
        return made

    def _show(self, waiting: Waiting, blind: bool) -> None:
        if not blind:
            print_lines(transcript(waiting.negotiation, waiting.decision, self.width))
            return
        print_lines(self._blind_lines(waiting))

    def _blind_lines(self, waiting: Waiting) -> Iterator[Line]:
        yield from task_lines(waiting.negotiation, self.width)
        best = waiting.negotiation.best
        if best is not None:
            yield Line()
            yield from draft_lines(best, self.width)
            yield Line()
            yield from verdict_lines(waiting.negotiation.verdicts_on(best.round), self.width)

    def _decide(self, waiting: Waiting) -> HumanDecision | None:
        blind = self.blind
        possible = [key for key, action in _KEYS.items() if action in waiting.actions]
        names = {"a": "[a]ccept", "e": "[e]dit", "r": "[r]eject", "b": "send [b]ack"}
        prompt = ", ".join([*(names[key] for key in possible), "[v]iew all", "[s]kip", "[q]uit"])
        while True:
            key = self.ask(f"{prompt}: ").strip().lower()[:1]
            if key == "q":
                raise _Left
            if key == "s":
                return None
            if key == "v":
                blind = False
                self._show(waiting, blind=False)
            elif key in possible:
                try:
                    return self._record(waiting, key, blind)
                except SymposiaError as exc:
                    say_error(exc.message, exc.hint)

    def _record(self, waiting: Waiting, key: str, blind: bool) -> HumanDecision:
        note, reasons, edit = "", list[str](), None
        if key == "e":
            edit = self._edit(waiting)
            note = self.ask("note (may be empty): ")
        elif key == "r":
            reasons = self._ask_reasons()
            note = self.ask("note (may be empty): ")
        elif key == "b":
            note = self.ask("what must the next draft do better? ")
            reasons = self._ask_reasons()
        action: ReviewAction = {"a": "accept", "e": "edit", "r": "reject", "b": "send_back"}[key]  # type: ignore[assignment]
        return self.queue.record(
            waiting,
            reviewer=self.reviewer,
            action=action,
            note=note.strip(),
            reasons=reasons,
            edit=edit,
            blind=blind,
        )

    def _ask_reasons(self) -> list[str]:
        ids = "a principle's id, " if self.queue.constitution else ""
        text = self.ask(f"reasons, with commas ({ids}{', '.join(REASONS)}; may be empty): ")
        return [word.strip() for word in text.split(",") if word.strip()]

    def _edit(self, waiting: Waiting) -> JsonObject:
        best = waiting.negotiation.best
        assert best is not None  # only samples with a draft wait
        text = as_yaml(best.payload)
        problem = ""
        while True:
            head = (
                f"# {problem}\n" if problem else "# Save and leave to go on; an unchanged text leaves the draft.\n"
            )
            text = edit_text(head + text)
            try:
                value = parse_yaml(text, "your edit").value
                if not isinstance(value, dict):
                    raise ValueError("the edit must be a mapping of fields")
                payload = self.check(waiting, value)
            except (ValueError, RecipeError) as exc:
                problem = " ".join(str(exc).split())
                say_error(problem)
                if self.ask("edit again? [y/n]: ").strip().lower()[:1] != "y":
                    raise UsageError("the edit was dropped") from None
                text = "\n".join(line for line in text.splitlines() if not line.startswith("#")) + "\n"
                continue
            if payload == best.payload:
                raise UsageError("nothing was changed", "press a to accept the draft as it is")
            return payload


def as_yaml(value: JsonValue) -> str:
    """A payload as YAML that is pleasant to edit."""
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))


def edit_text(text: str) -> str:
    """Open a text in the user's editor and give what was saved.

    Raises:
        UsageError: The editor can't be started or failed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="symposia-") as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as exc:
            raise UsageError(f"the editor '{editor}' failed: {exc}", "name another one in EDITOR") from None
        return path.read_text(encoding="utf-8", errors="replace")


def make_check(store: RunStore, host: Host) -> Check:
    """Validates edits against the draft schema of the run's graph, which is built at the first edit."""
    from typing import cast

    from symposia.contracts import Graph
    from symposia.host import Workbench

    built: list[Graph] = []

    def check(waiting: Waiting, payload: JsonObject) -> JsonObject:
        if not built:
            recipe = store.recipe()
            bench = Workbench(host, Path(store.meta("base") or "."))
            built.append(cast(Graph, host.build("graph", recipe.graph, recipe.parameters, bench)))
        value = built[0].draft_schema(waiting.negotiation.ticket.task).read(payload)
        if not isinstance(value, dict):
            raise ValueError("the edit must be a mapping of fields")
        return value

    return check
