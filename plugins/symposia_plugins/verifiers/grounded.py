"""Question, answer and quote stand on a passage.

The check needs no model and believes none: it compares the draft with the passage that the task was drawn from. A
pass says that the quote is really there, that no number or name of the answer is from elsewhere, and that the words
of quote, answer and question hang together. It does not say that the answer is a good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from symposia.contracts import VerifierCost
from symposia.records import Draft, Evidence, EvidenceKind, JsonValue, Task, Verdict
from symposia_plugins.verifiers import GroundedParams
from symposia_plugins.verifiers.findings import Finding, shorten, verdict
from symposia_plugins.verifiers.names import names
from symposia_plugins.verifiers.numbers import Number, numbers_looked_for, values_given
from symposia_plugins.verifiers.words import contains, content_stems, squeeze, stem, words

__all__ = ["GroundedVerifier"]

_SENTENCE_END = re.compile(r"[.!?。！？]\s")
_QUESTION_MARKS = ("?", "？", "؟")
_LEAST_QUESTION_WORDS = 4
_SHORTEST_CIRCLE = 10
_LEAST_DISTINCT = 0.75
_AUXILIARY_WORDS = (
    "is are was were am do does did has have had can could will would should may might must isn't aren't wasn't "
    "weren't don't doesn't didn't"
)
_AUXILIARIES = frozenset(_AUXILIARY_WORDS.split())
_YES_NO_WORDS = "yes no ja nein oui non sí si sì não sim nee da nie tak да нет 是 不 はい いいえ"
_YES_NO = frozenset(_YES_NO_WORDS.split())


class GroundedVerifier:
    """Checks a question, its answer and the quote under it against the task's passage.

    Rules, in the order in which they give the cause:

    - ``missing_field``, ``empty_field``: question, answer and quote are filled texts.
    - ``not_a_question``: it ends with a question mark and has four words or more.
    - ``repeats_itself``: neither question nor answer goes round in circles.
    - ``quote_too_short``, ``quote_not_found``: the quote has enough words and stands verbatim in the passage. Both
      are compared in Unicode form NFC, with every run of white space as one space; nothing else is forgiven.
    - ``answer_is_question``, ``question_gives_answer``, ``question_is_quote``: the answer is not the question
      again; the question does not hold the whole answer, unless it offers a choice ("… or …?"), nor the quote.
    - ``question_unrelated``, ``question_number_not_found``: the question has a content word of the passage, and no
      number in digits from elsewhere.
    - ``number_not_found``, ``name_not_found``: each number and each capitalised name of the answer occurs in the
      passage (rules of `numbers` and `names`).
    - ``answer_without_content``, ``answer_unsupported``: the answer has content words, and enough of them occur in
      the passage.
    - ``question_elsewhere``: the question shares a content word with the answer, or with the quote's sentence or
      the one before it.
    - ``answer_adds_nothing``: the answer says something that is not in the question; answers to yes-no questions
      need not.
    - ``quote_unrelated``: the quote shares a content word with what the answer adds, and has all numbers that the
      answer adds.

    It abstains with ``no_passage`` where the task has none.

    Args:
        params: Field names and bounds.
    """

    name = "grounded"
    version = "1"
    evidence: EvidenceKind = "content"
    cost: VerifierCost = "cheap"

    def __init__(self, params: GroundedParams) -> None:
        self._params = params

    async def verify(self, draft: Draft, task: Task) -> Verdict:
        """Check one draft."""
        passage = task.seed.get(self._params.passage_field)
        if not isinstance(passage, str) or not passage.strip():
            return Verdict(
                verifier=self.name,
                version=self.version,
                kind=self.evidence,
                status="abstain",
                cause="no_passage",
                round=draft.round,
                evidence=Evidence(summary=f"The task has no passage in '{self._params.passage_field}'."),
            )
        context = "\n".join(
            value for name in self._params.context_fields if isinstance(value := task.seed.get(name), str)
        )
        source = _source(passage, context)
        triple = _Triple(*(_text(draft, name) for name in self._names))
        findings = list(self._blanks(draft))
        if not findings:
            findings = [*self._shape(triple, source), *self._claims(triple, source), *_ties(triple, source)]
        passed = Evidence(
            summary="The quote stands verbatim in the passage and shares its words with the answer, whose numbers "
            "and names occur in the passage.",
            excerpt=shorten(triple.quote),
            data={"quote_words": len(triple.quote_words), "support": round(_support(triple, source), 3)},
        )
        return verdict(self.name, self.version, self.evidence, draft, findings, passed)

    @property
    def _names(self) -> tuple[str, str, str]:
        return self._params.question_field, self._params.answer_field, self._params.quote_field

    def _blanks(self, draft: Draft) -> Iterator[Finding]:
        for name in self._names:
            value = draft.payload.get(name)
            if not isinstance(value, str):
                yield Finding("missing_field", f"The field '{name}' is missing or no text.", data={"field": name})
            elif not words(value):
                yield Finding("empty_field", f"The field '{name}' has no words.", data={"field": name})

    def _shape(self, triple: _Triple, source: _Source) -> Iterator[Finding]:
        if not _is_question(triple.question, len(triple.question_words)):
            yield Finding(
                "not_a_question",
                f"The question must end with a question mark and have at least {_LEAST_QUESTION_WORDS} words.",
                triple.question,
            )
        for text, said in ((triple.question, triple.question_words), (triple.answer, triple.answer_words)):
            if _goes_in_circles(said):
                yield Finding("repeats_itself", "The same words come again and again.", text)
        count, least = len(triple.quote_words), self._params.min_quote_words
        if count < least:
            text = f"The quote has {count} words; at least {least} are needed."
            yield Finding("quote_too_short", text, triple.quote, {"words": count, "least": least})
        if squeeze(triple.quote) not in source.squeezed:
            yield _not_found(triple, source)
        if triple.answer_words == triple.question_words:
            yield Finding("answer_is_question", "The answer repeats the question.", triple.answer)
        elif contains(triple.question_words, triple.answer_words) and "or" not in triple.question_words:
            yield Finding("question_gives_answer", "The question already holds the whole answer.", triple.question)
        if contains(triple.question_words, triple.quote_words):
            yield Finding("question_is_quote", "The question repeats the whole quote.", triple.question)
        if not source.stems.intersection(content_stems(triple.question)):
            text = "No content word of the question occurs in the passage."
            yield Finding("question_unrelated", text, triple.question)

    def _claims(self, triple: _Triple, source: _Source) -> Iterator[Finding]:
        invented = [
            number.written
            for number in numbers_looked_for(triple.question)
            if number.written[:1].isdigit() and not number.values & source.values
        ]
        if invented:
            text = f"The passage doesn't give these numbers of the question: {', '.join(invented)}."
            yield Finding("question_number_not_found", text, triple.question, {"numbers": list(invented)})
        strange = [number.written for number in triple.numbers if not number.values & source.values]
        if strange:
            text = f"The passage doesn't give these numbers of the answer: {', '.join(strange)}."
            yield Finding("number_not_found", text, triple.answer, {"numbers": list(strange)})
        foreign = [name for name in names(triple.answer) if not _known(name, source)]
        if foreign:
            text = f"The passage doesn't hold these names of the answer: {', '.join(foreign)}."
            yield Finding("name_not_found", text, triple.answer, {"names": list(foreign)})
        if not triple.answer_stems and not triple.numbers:
            yield Finding("answer_without_content", "The answer says nothing that can be checked.", triple.answer)
        elif _support(triple, source) < self._params.min_support:
            missing = sorted({word for word in triple.answer_stems if word not in source.stems})
            text = "Too few words of the answer occur in the passage."
            yield Finding("answer_unsupported", text, triple.answer, {"not_in_passage": list(missing[:12])})


@dataclass(frozen=True)
class _Triple:
    question: str
    answer: str
    quote: str

    @cached_property
    def question_words(self) -> list[str]:
        return words(self.question)

    @cached_property
    def answer_words(self) -> list[str]:
        return words(self.answer)

    @cached_property
    def quote_words(self) -> list[str]:
        return words(self.quote)

    @cached_property
    def answer_stems(self) -> list[str]:
        """Content of the answer without numbers in digits, which have a rule of their own."""
        return [word for word in content_stems(self.answer) if not word[0].isdigit()]

    @cached_property
    def numbers(self) -> list[Number]:
        return numbers_looked_for(self.answer)


@dataclass(frozen=True)
class _Source:
    squeezed: str
    words: frozenset[str]
    stems: frozenset[str]
    values: frozenset[str]


@lru_cache(maxsize=256)
def _source(passage: str, context: str) -> _Source:
    said = words(f"{passage}\n{context}")
    stems = frozenset(stem(word) for word in said)
    return _Source(squeeze(passage), frozenset(said), stems, values_given(f"{passage}\n{context}"))


def _text(draft: Draft, name: str) -> str:
    value = draft.payload.get(name)
    return value if isinstance(value, str) else ""


def _is_question(text: str, count: int) -> bool:
    return text.rstrip(" \t\r\n\"'”’»)").endswith(_QUESTION_MARKS) and count >= _LEAST_QUESTION_WORDS


def _goes_in_circles(said: Sequence[str]) -> bool:
    """Whether more than a quarter of the word pairs of a text have come before."""
    pairs = list(pairwise(said))
    return len(said) >= _SHORTEST_CIRCLE and len(set(pairs)) < _LEAST_DISTINCT * len(pairs)


def _known(name: str, source: _Source) -> bool:
    folded = words(name)
    return all(word in source.words or stem(word) in source.stems for word in folded)


def _support(triple: _Triple, source: _Source) -> float:
    """Share of the answer's content words that occur in the passage; 1 for an answer of numbers only."""
    stems = triple.answer_stems
    return sum(word in source.stems for word in stems) / len(stems) if stems else 1.0


def _not_found(triple: _Triple, source: _Source) -> Finding:
    quote = squeeze(triple.quote)
    if quote.casefold() in source.squeezed.casefold():
        text = "The quote differs from the passage in capital letters; it must stand there verbatim."
    else:
        text = "The quote does not stand verbatim in the passage."
    return Finding("quote_not_found", text, quote, {"longest_match": _longest_match(quote, source.squeezed)})


def _longest_match(quote: str, passage: str) -> str:
    """The longest run of the quote's words that stands in the passage."""
    parts = quote.split(" ")[:80]
    best = ""
    for start in range(len(parts)):
        end = start + 1
        while end <= len(parts) and (run := " ".join(parts[start:end])) in passage:
            best = run if len(run) > len(best) else best
            end += 1
    return best


def _around(quote: str, passage: str) -> str:
    """The sentences that hold the quote, with the one before them; empty where the quote is not there."""
    start = passage.find(quote)
    if start < 0:
        return ""
    ends = [found.end() for found in _SENTENCE_END.finditer(passage)]
    before = [end for end in ends if end <= start]
    first = before[-2] if len(before) > 1 else 0
    last = next((end for end in ends if end >= start + len(quote)), len(passage))
    return passage[first:last]


def _ties(triple: _Triple, source: _Source) -> Iterator[Finding]:
    """Whether quote, answer and question hang together."""
    asked = {stem(word) for word in triple.question_words}
    asked_values = values_given(triple.question)
    near = {stem(word) for word in words(_around(squeeze(triple.quote), source.squeezed))}
    if near and not {*near, *triple.answer_stems}.intersection(content_stems(triple.question)):
        text = "The question asks about something else: it shares no word with the answer or the quote's sentence."
        yield Finding("question_elsewhere", text, triple.question)
    quote_stems = {stem(word) for word in triple.quote_words}
    quote_values = values_given(triple.quote)
    added = [word for word in triple.answer_stems if word not in asked]
    added_numbers = [number for number in triple.numbers if not number.values & asked_values]
    if not added and not added_numbers:
        if not _may_repeat(triple):
            yield Finding("answer_adds_nothing", "The answer only repeats words of the question.", triple.answer)
            return
        added = triple.answer_stems or content_stems(triple.question)
    loose = [number.written for number in added_numbers if not number.values & quote_values]
    if loose:
        text = f"The quote doesn't hold these numbers of the answer: {', '.join(loose)}."
        yield Finding("quote_unrelated", text, triple.quote, {"numbers": list(loose)})
    elif not added_numbers and not quote_stems.intersection(added):
        text = "The quote shares no content word with what the answer says beyond the question."
        said: list[JsonValue] = list(dict.fromkeys(added))
        yield Finding("quote_unrelated", text, triple.quote, {"answer_words": said[:12]})


def _may_repeat(triple: _Triple) -> bool:
    opening = triple.question_words[0]
    return opening in _AUXILIARIES or triple.answer_words[0] in _YES_NO or "or" in triple.question_words
