"""Sentences of a passage, each exactly as it stands there."""

from __future__ import annotations

import re

__all__ = ["LONGEST_SENTENCE", "sentences"]

FEWEST_WORDS = 5
LONGEST_SENTENCE = 400
"""Characters; what is longer is a table or a list that lost its line ends."""

_BORDER = re.compile(r"(?<=[.!?])[\"'”’)\]]*(\s+)(?=[\"'“‘(\[]*[A-Z0-9])|\n\s*\n")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:[A-Z]|St|Mr|Mrs|Ms|Dr|Prof|Mt|No|vs|etc|e\.g|i\.e|c|ca|approx)\.$")


def sentences(passage: str) -> tuple[str, ...]:
    """The sentences of at least 5 words, in order, each once and each a verbatim part of the passage."""
    found: list[str] = []
    start = 0
    for border in _BORDER.finditer(passage):
        end = border.start(1) if border.group(1) else border.start()
        if border.group(1) and _ABBREVIATION.search(passage[start:end]):
            continue
        found.append(passage[start:end])
        start = border.end()
    found.append(passage[start:])
    whole = (piece.strip() for piece in found)
    return tuple(dict.fromkeys(s for s in whole if len(s.split()) >= FEWEST_WORDS and len(s) <= LONGEST_SENTENCE))
