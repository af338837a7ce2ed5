"""No answer begins with a refusal.

Only the opening of a text is looked at, and a phrase counts only behind words of apology or nothing: "I can't help
with that" is a refusal, "I can't help but admire the keepers" and "'I can't see the light', he wrote" are none. The
whole list is in `refusal_phrases`; languages other than English ask for an apology in front of the phrase.
"""

from __future__ import annotations

import re

from symposia.contracts import VerifierCost
from symposia.records import Draft, Evidence, EvidenceKind, Task, Verdict
from symposia_plugins.verifiers import RefusalParams
from symposia_plugins.verifiers.findings import Finding, Piece, pieces, shorten, verdict
from symposia_plugins.verifiers.refusal_phrases import CORE, ELSEWHERE, NO_ANSWER, OPENERS
from symposia_plugins.verifiers.words import nfc

__all__ = ["ASKING_FIELDS", "RefusalVerifier"]

ASKING_FIELDS = frozenset({"question", "instruction", "prompt", "input", "quote", "passage"})
"""Fields that ask or cite; what they say is no answer."""

_HEAD = 240
_LEADING = re.compile(r"^[\W_]+")


class RefusalVerifier:
    """Looks at how answers begin.

    Causes: ``refusal``, and ``no_answer`` where the text says that there is nothing to say.

    Args:
        params: Which fields are answers.
    """

    name = "refusal"
    version = "1"
    evidence: EvidenceKind = "form"
    cost: VerifierCost = "cheap"

    def __init__(self, params: RefusalParams) -> None:
        self._fields = params.fields

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
        findings = []
        for piece in pieces(draft.payload):
            cause = _cause(piece.text) if self._answers(piece) else ""
            if cause:
                what = "refuses" if cause == "refusal" else "gives no answer"
                text = f"The field '{piece.field}' {what}."
                findings.append(Finding(cause, text, shorten(piece.text), {"field": piece.field}))
        passed = Evidence(summary="No answer begins with a refusal.")
        return verdict(self.name, self.version, self.evidence, draft, findings, passed)

    def _answers(self, piece: Piece) -> bool:
        if self._fields:
            return piece.field in self._fields
        return piece.field.casefold() not in ASKING_FIELDS and piece.role not in {"user", "system"}


def _cause(text: str) -> str:
    head = nfc(text[: 2 * _HEAD]).casefold().replace("’", "'")
    head = " ".join(_LEADING.sub("", head).split())[:_HEAD]
    if NO_ANSWER.match(head):
        return "no_answer"
    core = CORE.search(head)
    if core and all(word in OPENERS for word in re.findall(r"[\w']+", head[: core.start()])):
        return "refusal"
    return "refusal" if any(pattern.match(head) for pattern in ELSEWHERE) else ""
