"""Verdicts from what a verifier found, and the texts of a draft with where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from symposia.records import Draft, Evidence, EvidenceKind, JsonObject, JsonValue, Verdict

__all__ = ["Finding", "Piece", "pieces", "shorten", "verdict"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a draft."""

    cause: str
    summary: str
    excerpt: str = ""
    data: JsonObject = field(default_factory=dict)


class Piece(NamedTuple):
    """A text of a draft: the field at its top, the role of the message it is in, and the text."""

    field: str
    role: str
    text: str


def pieces(payload: Mapping[str, JsonValue]) -> Iterator[Piece]:
    """All texts of a payload, in field order, also those inside of lists and objects."""
    for name, value in payload.items():
        yield from _walk(name, "", value)


def _walk(name: str, role: str, value: JsonValue) -> Iterator[Piece]:
    if isinstance(value, str):
        yield Piece(name, role, value)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(name, role, item)
    elif isinstance(value, dict):
        speaker = value.get("role")
        inner = speaker if isinstance(speaker, str) and "content" in value else role
        for key, item in value.items():
            if not (inner and key == "role"):
                yield from _walk(name, inner, item)


def shorten(text: str, most: int = 160) -> str:
    """A text on one line, cut to at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def verdict(
    name: str,
    version: str,
    kind: EvidenceKind,
    draft: Draft,
    findings: Sequence[Finding],
    passed: Evidence,
) -> Verdict:
    """A verdict that fails by the first finding and names the others, or passes when there is none."""
    evidence, cause = passed, ""
    if findings:
        first = findings[0]
        cause = first.cause
        also: list[JsonValue] = list(dict.fromkeys(finding.cause for finding in findings[1:]))
        evidence = Evidence(
            summary=" ".join(finding.summary for finding in findings),
            excerpt=shorten(first.excerpt),
            data={**first.data, "also": also} if also else first.data,
        )
    return Verdict(
        verifier=name,
        version=version,
        kind=kind,
        status="fail" if findings else "pass",
        cause=cause,
        round=draft.round,
        evidence=evidence,
    )
