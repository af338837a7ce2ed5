"""Nothing of the prompt, the chat template or the model's own nature shows in the draft.

What the task's source itself says is no leak: a passage about chat templates may be quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from symposia.contracts import VerifierCost
from symposia.records import Draft, Evidence, EvidenceKind, Task, Verdict
from symposia_plugins.verifiers import LeakParams
from symposia_plugins.verifiers.findings import Finding, Piece, pieces, verdict
from symposia_plugins.verifiers.words import nfc, words

__all__ = ["LeakVerifier"]

_RUN = 8
_SHORTEST_RUN = 6
"""Words in a row that the draft must share with an instruction: eight, or all of a shorter one, at least six."""


class _Sign(NamedTuple):
    cause: str
    pattern: re.Pattern[str]
    says: str
    needs_source: bool = False


def _signs_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


_TEXT = r"(?:passage|text|paragraph|excerpt|context)"
_BLANK = (
    r"(?:name|date|topic|city|country|company|address|email|phone|answer|question|quote|passage|title|number|blank|"
    r"placeholder|text)"
)
_SIGNS = (
    _Sign(
        "template_token",
        _signs_of(
            r"<\|[a-z0-9_ ]{2,32}\|>",
            r"<｜[^｜]{1,40}｜>",
            r"\[/?inst\]",
            r"<</?sys>>",
            r"</?(?:start|end)_of_turn>",
            r"<(?:bos|eos|unk|pad)>",
            r"</s>\s*$",
            r"^\s*<s>",
            r"</?think>",
            r"^\s*(?:assistant|system|user|human)\s*:",
            r"\n[ \t]*(?:###[ \t]*)?(?:human|assistant|instruction|response)[ \t]*:\s",
        ),
        "holds a piece of a chat template",
    ),
    _Sign(
        "ai_disclosure",
        _signs_of(
            r"\bas an? (?:ai|artificial intelligence|large language|language)(?: language)? (?:model|assistant)\b",
            r"\bas an ai,? i\b",
            r"\bi(?: a|')m (?:just |only |merely )?an? (?:ai|artificial intelligence|large language|language)"
            r"(?: language)?(?: model| assistant|\b)",
            r"\bmy (?:training data|knowledge cutoff)\b",
            r"\bals ki-?(?:sprach)?modell\b",
            r"\ben tant qu['’](?:ia|intelligence artificielle|modèle de langage)\b",
            r"\bcomo (?:un )?modelo de lenguaje\b",
            r"作为(?:一个)?(?:ai|人工智能)",
            r"作為(?:一個)?(?:ai|人工智慧)",
            r"ai言語モデル",
        ),
        "speaks of being a language model",
    ),
    _Sign(
        "source_reference",
        _signs_of(
            rf"\b(?:the|this) {_TEXT} (?:above|below|provided|given|says|states|mentions|describes|explains)\b",
            rf"\b(?:the|this) (?:given|above|provided|following|preceding) {_TEXT}\b",
            r"\b(?:according to|based on|(?:stated|mentioned|described|given) in) "
            rf"(?:the|this) (?:{_TEXT}|document)\b",
            r"\bin (?:the|this) (?:passage|paragraph|excerpt)\b",
        ),
        "points at a passage that its reader won't see",
        needs_source=True,
    ),
    _Sign(
        "placeholder",
        _signs_of(
            r"(?<![\w\]])\[(?:your|insert|enter|add|fill in) [^\[\]\n]{1,40}\](?!\()",
            rf"(?<![\w\]])\[(?:full |first |last )?{_BLANK}\](?!\()",
            rf"\{{\{{ ?{_BLANK} ?\}}\}}",
            r"<(?:insert|your|enter)[ _][^<>\n]{1,40}>",
            r"\blorem ipsum\b",
        ),
        "holds a placeholder instead of content",
    ),
)


class LeakVerifier:
    """Searches for signs of the prompt.

    Causes: ``template_token``, ``ai_disclosure``, ``source_reference`` (only for tasks with a source),
    ``placeholder``, ``field_name`` (a text begins with its own label, or holds JSON keys of the draft), and
    ``prompt_text`` (it repeats eight words in a row of the system instruction or of the persona's description).

    Args:
        params: Which fields are searched.
    """

    name = "leak"
    version = "1"
    evidence: EvidenceKind = "form"
    cost: VerifierCost = "cheap"

    def __init__(self, params: LeakParams) -> None:
        self._fields = params.fields

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
        source = "\n".join(piece.text for piece in pieces(task.seed))
        folded = nfc(source).casefold()
        labels = _labels(draft)
        findings: list[Finding] = []
        for piece in pieces(draft.payload):
            if not self._fields or piece.field in self._fields:
                findings += _signs(piece, folded, bool(source))
                findings += _label(piece, labels, folded)
                findings += _repeats(piece, task, source)
        passed = Evidence(summary="Nothing of the prompt shows.")
        return verdict(self.name, self.version, self.evidence, draft, findings, passed)


def _signs(piece: Piece, source: str, has_source: bool) -> Iterator[Finding]:
    text = nfc(piece.text).casefold()
    for sign in _SIGNS:
        if sign.needs_source and not has_source:
            continue
        for match in sign.pattern.finditer(text):
            if match.group().strip() not in source:
                yield _finding(sign.cause, piece, sign.says, match.group().strip())
                break


def _labels(draft: Draft) -> re.Pattern[str]:
    names = sorted({name.casefold() for name in draft.payload}, key=len, reverse=True)
    spoken = "|".join(re.escape(name) for name in names) or r"(?!)"
    snake = "|".join(rf"\b{re.escape(name)}\b" for name in names if "_" in name) or r"(?!)"
    return re.compile(rf"^[\s*_#\"']*(?:{spoken})[*_\"']*\s*:|[\"'](?:{spoken})[\"']\s*:|{snake}")


def _label(piece: Piece, labels: re.Pattern[str], source: str) -> Iterator[Finding]:
    match = labels.search(nfc(piece.text).casefold())
    if match and match.group().strip() not in source:
        yield _finding("field_name", piece, "names a field of its own form", match.group().strip())


def _repeats(piece: Piece, task: Task, source: str) -> Iterator[Finding]:
    instructions = [task.system or ""]
    if task.persona is not None:
        instructions += [task.persona.description, task.persona.style]
    said: list[str] | None = None
    for instruction in instructions:
        given = words(instruction)
        run = min(_RUN, len(given))
        if run < _SHORTEST_RUN:
            continue
        said = words(piece.text) if said is None else said
        shared = _shared_run(given, said, run)
        if shared and _shared_run(shared, words(source), len(shared)) is None:
            yield _finding("prompt_text", piece, "repeats the instruction behind the prompt", " ".join(shared))
            return


def _shared_run(given: Sequence[str], said: Sequence[str], run: int) -> list[str] | None:
    """The first ``run`` words in a row that both have."""
    have = {tuple(said[start : start + run]) for start in range(len(said) - run + 1)}
    windows = (tuple(given[start : start + run]) for start in range(len(given) - run + 1))
    found = next((window for window in windows if window in have), None)
    return list(found) if found is not None else None


def _finding(cause: str, piece: Piece, says: str, excerpt: str) -> Finding:
    return Finding(cause, f"The field '{piece.field}' {says}.", excerpt, {"field": piece.field})
