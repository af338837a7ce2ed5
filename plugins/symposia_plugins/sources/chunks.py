"""Cuts a text into passages of a bounded number of tokens, at sentence or paragraph ends.

Everything here works on spans of one text, so that a passage is always a verbatim piece of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

__all__ = ["Line", "Passage", "Section", "count_tokens", "pack", "sections", "sentences"]

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]{{1,16}}|[^\w\s]")

_HEADING = re.compile(r"^ {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|\|)(?:\s|(?<=\|))")

_END = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’»)\]*_]*(?=\s)|[。！？]+[」』”）]*")
_OPENING = re.compile(r"\s+[\"'“‘«(\[*_]*(?:[^\W\d_]|\d|[-–—])")
_PARAGRAPH_BONUS = 0.3
"""How much nearer to the wished length, as a share of it, the end of a paragraph counts."""
_SHORTENED = (
    "mr mrs ms dr prof st sr jr vs etc no nos fig figs vol vols ed eds pp p ch cf al e.g i.e ca c approx dept est "
    "gen col lt capt sgt rev hon gov sen rep inc ltd co corp mt jan feb mar apr jun jul aug sep sept oct nov dec "
    "bzw z.b d.h u.a usw nr str bd mme mlle p.ex av"
)
_ABBREVIATIONS = frozenset(_SHORTENED.split())


class _Unit(NamedTuple):
    """A piece of a text: start and end offset, and its number of tokens.

    `closes` tells that a paragraph ends here.
    """

    start: int
    end: int
    tokens: int
    closes: bool


class Line(NamedTuple):
    """A line of a section: start and end offset, and whether it stands in a code fence."""

    start: int
    end: int
    code: bool


@dataclass(frozen=True)
class Section:
    """A part of a document under one heading, of level 1-6, or 0 before the first heading."""

    heading: str
    level: int
    lines: tuple[Line, ...]


class Passage(NamedTuple):
    """A piece of a section: start and end offset, number of tokens, and the spans of its sentences."""

    start: int
    end: int
    tokens: int
    sentences: tuple[tuple[int, int], ...]


def count_tokens(text: str) -> int:
    """Number of tokens: runs of at most 16 letters and digits, single wide characters, other visible marks."""
    return sum(1 for _ in _TOKEN.finditer(text))


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Spans of the sentences in a piece of text, without the blank space around them.

    A sentence ends at ``. ! ? …`` before blank space and something that can open a sentence, not after a known
    abbreviation or an initial; and at ``。！？`` anywhere.
    """
    stop = len(text) if end is None else end
    begin = start
    for match in _END.finditer(text, start, stop):
        if _ends_sentence(text, match, stop):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, stop)


def _ends_sentence(text: str, match: re.Match[str], stop: int) -> bool:
    if match.group()[0] in "。！？":
        return True
    following = _OPENING.match(text, match.end(), stop)
    if following is None:
        return True
    if text[following.end() - 1].islower():
        return False
    if match.group()[0] != "." or match.group().startswith(".."):
        return True
    word = text[max(0, match.start() - 16) : match.start()].split()[-1:] or [""]
    bare = word[0].lstrip("\"'“‘«([*_")
    return not (bare.lower() in _ABBREVIATIONS or (len(bare) == 1 and bare.isupper()))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def sections(text: str, markdown: bool) -> list[Section]:
    """The sections of a document in order; a plain text is one section without a heading.

    In Markdown a heading is ``# …`` or a line underlined with ``===`` or ``---`` outside of code fences; front
    matter between ``---`` lines at the very start belongs to no section.
    """
    lines = _lines(text)
    if not markdown:
        return [Section("", 0, tuple(lines))]
    found: list[Section] = []
    body: list[Line] = []
    heading, level, fence = "", 0, ""
    for line in lines[_front_matter(text, lines) :]:
        written = text[line.start : line.end]
        mark = _FENCE.match(written)
        if mark and (not fence or written.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)
            body.append(line._replace(code=True))
            continue
        title = None if fence else _heading(text, written, body)
        if title is None:
            body.append(line._replace(code=bool(fence)))
            continue
        if title.underlined:
            body.pop()
        found.append(Section(heading, level, tuple(body)))
        heading, level, body = title.text, title.level, []
    found.append(Section(heading, level, tuple(body)))
    return found


class _Title(NamedTuple):
    text: str
    level: int
    underlined: bool


def _heading(text: str, line: str, body: Sequence[Line]) -> _Title | None:
    match = _HEADING.match(line)
    if match:
        words = line[match.end() :].strip()
        closed = words.rstrip("#")
        words = closed.rstrip() if not closed or closed[-1].isspace() else words
        return _Title(_plain(words), len(match.group(1)), underlined=False)
    under = _UNDERLINE.match(line)
    if under and body and not body[-1].code:
        above = text[body[-1].start : body[-1].end]
        alone = len(body) == 1 or not text[body[-2].start : body[-2].end].strip()
        if above.strip() and alone and not _ITEM.match(above):
            return _Title(_plain(above), 1 if under.group(1)[0] == "=" else 2, underlined=True)
    return None


def _plain(heading: str) -> str:
    return " ".join(re.sub(r"[*_`]+", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).split())


def _lines(text: str) -> list[Line]:
    spans, start = [], 0
    for line in text.split("\n"):
        spans.append(Line(start, start + len(line), code=False))
        start += len(line) + 1
    return spans


def _front_matter(text: str, lines: Sequence[Line]) -> int:
    """Number of lines that front matter takes."""
    written = (text[line.start : line.end].rstrip() for line in lines)
    if next(written) != "---":
        return 0
    for number, line in enumerate(written, start=2):
        if line in {"---", "..."}:
            return number
        if not line:
            return 0
    return 0


def pack(text: str, section: Section, most: int, overlap: int) -> Iterator[Passage]:
    """The passages of a section.

    A section that is too long is cut into passages of about equal length. Each ends at the sentence nearest to that
    length, and rather at the end of a paragraph; it starts with at most ``overlap`` tokens of the one before, in
    whole sentences. Only a sentence that is longer than a passage is cut itself, between tokens.
    """
    units = list(_units(text, section, most, max(overlap, 1)))
    before = [0, *accumulate(unit.tokens for unit in units)]
    first = fresh = 0
    while fresh < len(units):
        more = max(0, -(-(before[-1] - before[first] - most) // (most - overlap)))
        target = (before[-1] - before[first] + more * overlap) / (more + 1)
        last = _last(units, before, first, fresh, most, target)
        part = units[first : last + 1]
        spans = tuple((unit.start, unit.end) for unit in part)
        yield Passage(part[0].start, part[-1].end, before[last + 1] - before[first], spans)
        fresh = last + 1
        first = _repeat(units, first, fresh, most, overlap) if fresh < len(units) else fresh


def _last(units: Sequence[_Unit], before: Sequence[int], first: int, fresh: int, most: int, target: float) -> int:
    """Where a passage from ``first`` ends best; it holds at least the unit ``fresh``.

    `before` has the number of tokens in front of each unit.
    """
    best, best_cost = fresh, float("inf")
    for index in range(fresh, len(units)):
        tokens = before[index + 1] - before[first]
        if tokens > most:
            break
        bonus = _PARAGRAPH_BONUS * target if units[index].closes else 0.0
        cost = abs(tokens - target) - bonus
        if cost <= best_cost:
            best, best_cost = index, cost
    return best


def _repeat(units: Sequence[_Unit], first: int, fresh: int, most: int, overlap: int) -> int:
    """Where the next passage starts so that it repeats what may be repeated and still has room for ``fresh``."""
    room = min(overlap, most - units[fresh].tokens)
    start, repeated = fresh, 0
    while start - 1 > first and repeated + units[start - 1].tokens <= room:
        start -= 1
        repeated += units[start].tokens
    return start


def _units(text: str, section: Section, most: int, piece: int) -> Iterator[_Unit]:
    for start, end in _paragraphs(text, section):
        spans = list(sentences(text, start, end))
        for number, (begin, stop) in enumerate(spans):
            closes = number + 1 == len(spans)
            tokens = count_tokens(text[begin:stop])
            if tokens <= most:
                yield _Unit(begin, stop, tokens, closes)
            else:
                yield from _broken(text, begin, stop, min(piece, most), closes)


def _broken(text: str, start: int, end: int, piece: int, closes: bool) -> Iterator[_Unit]:
    """A sentence longer than a passage, in pieces that end between tokens."""
    marks = list(_TOKEN.finditer(text, start, end))
    for first in range(0, len(marks), piece):
        part = marks[first : first + piece]
        last = first + len(part) == len(marks)
        yield _Unit(part[0].start(), part[-1].end(), len(part), closes and last)


def _paragraphs(text: str, section: Section) -> Iterator[tuple[int, int]]:
    """Spans that no sentence crosses: paragraphs, list items, table rows, lines of code."""
    start: int | None = None
    end = 0
    for line in section.lines:
        written = text[line.start : line.end]
        blank = not written.strip()
        if start is not None and (line.code or blank or _ITEM.match(written)):
            yield start, end
            start = None
        if line.code and not blank:
            yield line.start, line.end
        elif not blank:
            start = line.start if start is None else start
            end = line.end
    if start is not None:
        yield start, end
