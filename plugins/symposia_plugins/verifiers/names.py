"""Capitalised names of a text.

Policy. A word with a capital letter is a name, unless it opens a sentence and is a common word: a function word,
one of the list below, or one with an ending that names rarely have (``-ing``, ``-ers``, ``-tions`` …). Single
letters, forms of address and words that are all function word (``IT``, ``I'm``) are none. The rule is made for
English; it treats German nouns as names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symposia_plugins.verifiers.words import STOPWORDS, WORD, nfc, stem

__all__ = ["names"]

_OPENS_SENTENCE = re.compile(r"(?:^|[.!?…:;•\n])[\s\"'“”‘’«»(\[*_–—-]*$")
_ADDRESS = frozenset(("mr", "mrs", "ms", "dr", "prof", "sir", "madam", "saint", "st"))
_COMMON = """
according actually additionally afterwards ancient approximately because bad big children different early eight
eleven everybody example experts famous fifteen fifty first five forty four generally good great half high
historically hundred hundreds important initially large last late later long low man many men millions modern
money nine ninety numerous old ordinary originally part parts people place possible red second seven several
ships simple six sixty small special ten third thirteen thirty thousands three time today twelve twenty two
usually water while wood women work year years young
"""
_COMMON_OPENERS = frozenset(_COMMON.split())
_ENDINGS = (
    "ing ings ly ed ers ors ists tion tions sion sions ment ments ness ity ities ships ism ance ence men women "
    "able ible ous ful less ive"
)
_COMMON_ENDINGS = tuple(_ENDINGS.split())


def names(text: str) -> Iterator[str]:
    """The names of a text in order, one word each."""
    text = nfc(text)
    for match in WORD.finditer(text):
        word = match.group()
        if not word[0].isupper() or len(word) < 2:
            continue
        bare = word.casefold().replace("’", "'")
        if bare in STOPWORDS or bare.partition("'")[0] in {"i", "we", "you", "he", "she", "it", "they"}:
            continue
        if bare in _ADDRESS:
            continue
        if _OPENS_SENTENCE.search(text, max(0, match.start() - 12), match.start()) and _is_common(bare):
            continue
        yield word


def _is_common(bare: str) -> bool:
    return bare in _COMMON_OPENERS or stem(bare) in _COMMON_OPENERS or bare.endswith(_COMMON_ENDINGS)
