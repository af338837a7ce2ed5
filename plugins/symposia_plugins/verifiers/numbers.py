"""Numbers of a text, in digits and in English words, by their values.

Policy. A number in digits may use commas, points, apostrophes or narrow spaces between groups of three; where a
single mark could also be a decimal mark, both readings hold. Endings (``24th``, ``1990s``, ``10km``) don't matter,
digits inside a word (``B12``) are part of the word, a minus sign counts. ``4 million`` is 4000000. Cardinal words
are read as values, ``twenty-four`` as 24; the word ``one`` and ordinal words (``first``) name a number only where
they are looked for, not where they must be found, since they rarely state one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from symposia_plugins.verifiers.words import WORD, nfc

__all__ = ["Number", "numbers_looked_for", "values_given"]

_DIGITS = re.compile(
    r"(?<![^\W_])(\d+(?:[.,'’\u00a0\u202f\u2009]\d+)*)"
    r"(?:[ \u00a0-](hundred|thousand|million|billion|trillion)s?\b)?"
)
_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())}
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), start=2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_POWERS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_ORDINALS = {
    **{f"{word}th": value for word, value in _UNITS.items()},
    **{f"{word[:-1]}ieth": value for word, value in _TENS.items()},
    **{"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12},
    "hundredth": 100,
}


class Number(NamedTuple):
    """A number as it was written, and the values it may stand for."""

    written: str
    values: frozenset[str]


def values_given(text: str) -> frozenset[str]:
    """Every value that a text states in any reading; what may be looked for in it."""
    found: set[str] = set()
    for match in _DIGITS.finditer(nfc(text)):
        found |= _readings(match.group(1))
        found |= {f"-{value}" for value in _readings(match.group(1)) if _negative(match)}
        if match.group(2):
            found |= {_shifted(value, _POWERS[match.group(2)]) for value in _readings(match.group(1))}
    return frozenset(found) | {str(spoken.value) for spoken in _spoken(text)}


def numbers_looked_for(text: str) -> list[Number]:
    """The numbers that a text claims, which must be found elsewhere."""
    found = []
    for match in _DIGITS.finditer(nfc(text)):
        values = _readings(match.group(1))
        if match.group(2):
            values = {_shifted(value, _POWERS[match.group(2)]) for value in values}
        if _negative(match):
            values = {f"-{value}" for value in values}
        found.append(Number(match.group().strip(), frozenset(values)))
    for spoken in _spoken(text):
        if not spoken.ordinal and spoken.written != "one":
            found.append(Number(spoken.written, frozenset({str(spoken.value)})))
    return found


def _negative(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 2) : match.start()]
    return before[-1:] in {"-", "\u2212"} and (len(before) == 1 or before[0].isspace() or before[0] in "([")


def _readings(written: str) -> set[str]:
    parts = re.split(r"([.,'’\u00a0\u202f\u2009])", "".join(_ascii(char) for char in written))
    groups, marks = parts[0::2], parts[1::2]
    if not marks:
        return {_plain(groups[0])}
    readings = set()
    grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]) and len(set(marks)) == 1
    if grouped:
        readings.add(_plain("".join(groups)))
    decimal = marks[-1] in ".," and marks.count(marks[-1]) == 1 and len(set(marks[:-1])) <= 1
    if decimal and (len(marks) == 1 or all(len(group) == 3 for group in groups[1:-1])):
        readings.add(_plain("".join(groups[:-1]), groups[-1]))
    return readings or {".".join(groups)}


def _ascii(char: str) -> str:
    return str(unicodedata.digit(char)) if char.isdigit() else char


def _plain(whole: str, fraction: str = "") -> str:
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _shifted(value: str, power: int) -> str:
    """A value times ten to a power, on its digits, so that no length of it matters."""
    whole, _, fraction = value.partition(".")
    fraction = fraction.ljust(power, "0")
    return _plain(whole + fraction[:power], fraction[power:])


class _Spoken(NamedTuple):
    written: str
    value: int
    ordinal: bool


def _spoken(text: str) -> Iterator[_Spoken]:
    """Numbers in words; the words of one stand side by side, with a space, hyphen or ``and`` between them.

    The ``million`` of ``4 million`` belongs to the digits.
    """
    run: list[str] = []
    end = -1
    folded = _DIGITS.sub("\n", nfc(text).casefold())
    for match in WORD.finditer(folded):
        word = match.group()
        joined = folded[end : match.start()] in {" ", "-", "\u2010", "\u2011"} if run else True
        known = word in _UNITS or word in _TENS or word in _POWERS or word in _ORDINALS
        if run and not (joined and (known or (word == "and" and run[-1] in _POWERS))):
            yield from _values(run)
            run = []
        if known or run:
            run.append(word)
            end = match.end()
    yield from _values(run)


def _values(run: Sequence[str]) -> Iterator[_Spoken]:
    """The values in a run of number words: a new one starts where the words can't belong together."""
    total, group, last, said = 0, 0, "", list[str]()
    for word in [*run, ""]:
        kind = _kind(word)
        if said and not _follows(last, kind, group, _worth(word)):
            written = " ".join(said).removesuffix(" and")
            yield _Spoken(written, total + group, last == "ordinal")
            total, group, last, said = 0, 0, "", []
        if kind in {"", "and"} and not said:
            continue
        said.append(word)
        if kind == "hundred":
            group = (group or 1) * 100
        elif kind == "scale":
            total, group = total + (group or 1) * _SCALES[word], 0
        elif kind != "and":
            group += _worth(word)
        last = kind if kind != "and" else last


def _kind(word: str) -> str:
    if word in _UNITS:
        return "unit"
    if word in _TENS:
        return "ten"
    if word in _SCALES:
        return "scale"
    return {"hundred": "hundred", "and": "and"}.get(word, "ordinal" if word in _ORDINALS else "")


def _worth(word: str) -> int:
    return _UNITS.get(word, _TENS.get(word, _ORDINALS.get(word, 0)))


def _follows(last: str, kind: str, group: int, worth: int) -> bool:
    """Whether a word of a kind goes on with the number before it."""
    if kind in {"unit", "ordinal"}:
        return last in {"hundred", "scale"} or (last == "ten" and 0 < worth < 10)
    if kind in {"ten", "and"}:
        return last in {"hundred", "scale"}
    if kind == "hundred":
        return last == "unit" and group < 100
    return kind == "scale" and last in {"unit", "ten", "hundred"} and group > 0
