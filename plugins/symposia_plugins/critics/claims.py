"""Sorts out which of a critic's claims stand on their own feet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from symposia.prompts import fenced
from symposia.records import SEVERITY_WEIGHT, Constitution, Draft, Objection, Severity
from symposia_plugins.material import draft_text

__all__ = ["Claim", "sift"]

_MARKS = "\"'“”‘’«»„` "


class Claim(NamedTuple):
    """An objection as the model put it; `severity` is None where it gave none."""

    principle: str
    quote: str
    reason: str
    severity: Severity | None
    fix: str


def sift(
    claims: Sequence[Claim], draft: Draft, constitution: Constitution, most: int
) -> tuple[tuple[Objection, ...], int]:
    """The objections that stand, weightiest first, and how many claims were discarded.

    Claims about the same principle become one objection: the first quote, the gravest severity, all reasons.
    """
    discarded = 0
    merged: dict[str, Objection] = {}
    for claim in claims:
        principle = constitution.get(claim.principle)
        quote = _verbatim(claim.quote, draft)
        if principle is None or quote is None:
            discarded += 1
            continue
        severity = _lighter(claim.severity or principle.severity, principle.severity)
        objection = Objection(
            id="",
            principle=principle.id,
            severity=severity,
            quote=quote,
            reason=claim.reason.strip() or f"It breaks: {principle.title}",
            suggestion=claim.fix.strip(),
            raised_in=draft.round,
        )
        earlier = merged.get(principle.id)
        merged[principle.id] = objection if earlier is None else _merge(earlier, objection)
    ranked = sorted(merged.values(), key=lambda objection: -SEVERITY_WEIGHT[objection.severity])[:most]
    numbered = enumerate(ranked)
    return tuple(o.model_copy(update={"id": f"r{draft.round}.{number}"}) for number, o in numbered), discarded


def _merge(first: Objection, other: Objection) -> Objection:
    reason = first.reason
    if other.reason not in reason or other.quote not in first.quote:
        reason += f' Also in "{other.quote}": {other.reason}' if other.quote else f" Also: {other.reason}"
    graver = max(first.severity, other.severity, key=SEVERITY_WEIGHT.__getitem__)
    suggestion = first.suggestion
    if other.suggestion and other.suggestion not in suggestion:
        suggestion = f"{suggestion} {other.suggestion}".strip()
    update = {
        "reason": reason,
        "severity": graver,
        "suggestion": suggestion,
        "quote": first.quote or other.quote,
    }
    return first.model_copy(update=update)


def _lighter(claimed: Severity, allowed: Severity) -> Severity:
    return min(claimed, allowed, key=SEVERITY_WEIGHT.__getitem__)


def _verbatim(quote: str, draft: Draft) -> str | None:
    """The quoted span as it stands in the draft, empty for an empty quote, None when it is not there.

    White space may differ, quotation marks around the quote are ignored, and a span may be quoted as the prompt
    showed it, with tags made harmless.
    """
    bare = quote.strip(_MARKS + "\n\t")
    if not bare:
        return ""
    text = draft.text
    for candidate in dict.fromkeys((quote.strip(), bare)):
        pattern = re.compile(r"\s+".join(re.escape(word) for word in candidate.split()))
        found = pattern.search(text)
        if found:
            return found.group()
        shown = pattern.search(fenced(draft_text(draft)))
        if shown and "‹" in shown.group():
            return shown.group()
    return None
