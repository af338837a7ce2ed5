"""What critics and judges are shown of a sample: its source, the draft, and what the checks found.

All of it is text that nobody trusts. It is given here as plain strings; the templates put each through the
``fenced`` filter under its tag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from symposia.records import Draft, JsonObject, Task, Verdict, VerdictStatus

__all__ = ["draft_text", "findings_text", "source_texts"]

_NOT_IN_TAG = re.compile(r"[^a-z0-9_-]+")
_MOST_DATA = 300


def draft_text(draft: Draft) -> str:
    """The payload, one field after the other: texts as they are, so that they can be quoted; others as JSON."""
    return "\n".join(f"{name}: {_shown(value)}" for name, value in draft.payload.items())


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def source_texts(task: Task) -> list[tuple[str, str]]:
    """The texts of the task's source row with a tag for each, then the system instruction and the persona."""
    named = [(name, value) for name, value in task.seed.items() if isinstance(value, str) and value.strip()]
    texts = [(_NOT_IN_TAG.sub("_", name.casefold()).strip("_-") or "source", value) for name, value in named]
    texts = [(tag if tag[0].isalpha() else f"field_{tag}", value) for tag, value in texts]
    if task.system:
        texts.append(("system_instruction", task.system))
    if task.persona is not None:
        persona = task.persona
        about = [f"{persona.name}. {persona.description}".strip()]
        about += [f"Style: {persona.style}."] if persona.style else []
        texts.append(("asked_by", " ".join(about)))
    return texts


def findings_text(verdicts: Sequence[Verdict], statuses: Collection[VerdictStatus]) -> str:
    """The findings with one of these statuses, one a line; what is private in them is left out."""
    return "\n".join(_finding(verdict) for verdict in verdicts if verdict.status in statuses)


def _finding(verdict: Verdict) -> str:
    evidence = verdict.evidence
    line = f"- {verdict.verifier}: {verdict.status}"
    line += f" ({verdict.cause})" if verdict.cause else ""
    line += f". {' '.join(evidence.summary.split())}"
    if evidence.excerpt:
        line += f' In: "{" ".join(evidence.excerpt.split())}".'
    if evidence.data:
        line += f" {_data(evidence.data)}"
    return line


def _data(data: JsonObject) -> str:
    shown = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return shown if len(shown) <= _MOST_DATA else shown[: _MOST_DATA - 1] + "…"
