"""What a verifier found, with evidence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from symposia.records.base import JsonObject, Record

__all__ = ["Evidence", "EvidenceKind", "Verdict", "VerdictStatus"]

VerdictStatus = Literal["pass", "fail", "abstain", "error"]
EvidenceKind = Literal["content", "form"]


class Evidence(Record):
    """Why the verdict is what it is.

    Attributes:
        summary: One or two sentences that a model and a reviewer may read.
        excerpt: The part of the draft, output or reference that shows it.
        data: Values that a model may read: counter-example, expected and found.
        private: Durations, paths, process numbers: stored, never shown to a model, never exported.
    """

    summary: str
    excerpt: str = ""
    data: JsonObject = Field(default_factory=dict)
    private: JsonObject = Field(default_factory=dict)


class Verdict(Record):
    """One verifier's finding on one draft.

    Attributes:
        verifier: Name of the verifier.
        version: Its version; part of the key under which verdicts are reused.
        kind: ``content`` when the evidence comes from outside the generator (execution, reference, computation),
            ``form`` when it only concerns the shape (schema, length, language, refusal, leak).
        status: ``abstain`` when the verifier does not apply, ``error`` when it broke.
        cause: Short machine-readable reason, for example ``quote_not_found``.
        required: Whether a failure keeps the sample out.
        round: Round of the judged draft.
        input_hash: Hash of what was verified.
        evidence: The evidence.
        trust: How far the verdict can be faked, where that is a question (``split``, ``in_process``).
    """

    verifier: str
    version: str = "1"
    kind: EvidenceKind
    status: VerdictStatus
    cause: str = ""
    required: bool = True
    round: int = Field(default=0, ge=0)
    input_hash: str = ""
    evidence: Evidence
    trust: str | None = None
