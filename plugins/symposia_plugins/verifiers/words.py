"""Words, stems, names and numbers of a text, by stated rules and without a model.

All texts are first brought to Unicode form NFC, in which equal-looking accented letters are equal. Compatibility
forms (NFKC) are not used: they turn ``10²`` into ``102``. Words are compared without regard to case, and with
typographic apostrophes as plain ones.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["contains", "content_stems", "count_words", "nfc", "squeeze", "stem", "words"]

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
WORD = re.compile(rf"[{_WIDE}]|[^\W_{_WIDE}]+(?:['’][^\W_{_WIDE}]+)*")
_WIDE_ONLY = re.compile(rf"[{_WIDE}]")

_COMMON = """
a about above after again against all almost along already also although always am among an and another any
anyone anything are around as at away back be became because become been before began behind being below between
both but by came can cannot come could did do does doing done down during each either else enough even ever
every everyone few for from further gave get give given goes going got had has have having he hence her here
hers herself him himself his how however i if in indeed instead into is it its itself just kept largely later
least less like made mainly make many may maybe me might mine more most mostly much must my myself near nearly
never no nobody none nor not nothing now of off often on once one only onto or other others our ours out over
own perhaps quite rather same several shall she should since so some someone something sometimes soon still such
take than that the their theirs them themselves then there therefore these they thing things this those though
through thus to together too toward towards under until up upon us use used using usually very via was we well
went were what when whenever where whereas whether which while who whole whom whose why will with within without
would yes yet you your yours
"""
STOPWORDS = frozenset(_COMMON.split())


def nfc(text: str) -> str:
    """The text in Unicode form NFC."""
    return unicodedata.normalize("NFC", text)


def squeeze(text: str) -> str:
    """The text in NFC with every run of white space as one space, and none around it."""
    return " ".join(nfc(text).split())


def words(text: str) -> list[str]:
    """The words, case-folded: runs of letters and digits with apostrophes inside, or single wide characters."""
    return WORD.findall(nfc(text).casefold().replace("’", "'"))


def count_words(text: str) -> int:
    """Number of words."""
    return sum(1 for _ in WORD.finditer(text))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A case-folded word without possessive, plural and the commonest verb endings.

    It is a coarse relative of Harman's S stemmer (1991, "How effective is suffixing?"): good enough to see
    ``keepers`` in ``keeper``, made only for comparing words with each other.
    """
    word = word.removesuffix("'s").removesuffix("'")
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnprt":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry content: no function words, no single Latin letters."""
    return [
        stem(word)
        for word in words(text)
        if word not in STOPWORDS and (len(word) > 1 or word.isdigit() or _WIDE_ONLY.match(word))
    ]


def contains(long: list[str], short: list[str]) -> bool:
    """Whether the words of ``short`` stand in ``long``, one after the other."""
    return bool(short) and f" {' '.join(short)} " in f" {' '.join(long)} "
