"""The draft, or a field of it, has neither too few nor too many words."""

from __future__ import annotations

from collections.abc import Iterator

from symposia.contracts import VerifierCost
from symposia.records import Draft, Evidence, EvidenceKind, JsonValue, Task, Verdict
from symposia_plugins.verifiers import LengthParams, WordBounds
from symposia_plugins.verifiers.findings import Finding, pieces, verdict
from symposia_plugins.verifiers.words import count_words

__all__ = ["LengthVerifier"]


class LengthVerifier:
    """Counts words.

    Causes: ``too_short``, ``too_long``. A field that is not there has no words.

    Args:
        params: The bounds.
    """

    name = "length"
    version = "1"
    evidence: EvidenceKind = "form"
    cost: VerifierCost = "cheap"

    def __init__(self, params: LengthParams) -> None:
        self._params = params

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
        counts: dict[str, int] = dict.fromkeys(draft.payload, 0)
        for piece in pieces(draft.payload):
            counts[piece.field] += count_words(piece.text)
        total = sum(counts.values())
        findings = list(_findings("the draft", total, self._params))
        for name, bounds in self._params.fields.items():
            findings += _findings(f"the field '{name}'", counts.get(name, 0), bounds)
        passed = Evidence(summary=f"The draft has {total} words.", data={"words": total})
        return verdict(self.name, self.version, self.evidence, draft, findings, passed)


def _findings(what: str, words: int, bounds: WordBounds) -> Iterator[Finding]:
    data: dict[str, JsonValue] = {"where": what.removeprefix("the "), "words": words}
    what = what.capitalize()
    if bounds.min_words is not None and words < bounds.min_words:
        text = f"{what} has {words} words; at least {bounds.min_words} are needed."
        yield Finding("too_short", text, data={**data, "least": bounds.min_words})
    if bounds.max_words is not None and words > bounds.max_words:
        text = f"{what} has {words} words; at most {bounds.max_words} are allowed."
        yield Finding("too_long", text, data={**data, "most": bounds.max_words})
