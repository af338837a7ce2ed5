"""Foreign text made fit to be shown: what a model or a document wrote can't steer a terminal."""

from __future__ import annotations

import re
import textwrap

__all__ = ["one_line", "plain", "shorten", "wrap"]

# C0 and C1 controls, bidirectional overrides and isolates, line and paragraph separators, unpaired surrogates.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with every character that could steer a terminal made visible; line ends and tabs stay."""
    return _UNSAFE.sub(_visible, text.replace("\r\n", "\n").replace("\t", "    "))


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if 0xD800 <= code < 0xE000 else f"\\u{code:04x}"


def one_line(text: str) -> str:
    """The text, fit to be shown, with every run of blank space as one space."""
    return " ".join(plain(text).split())


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters on one line; a cut is marked."""
    line = one_line(text)
    return line if len(line) <= length else line[: max(length - 1, 0)].rstrip() + "…"


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most ``width`` characters, fit to be shown; blank lines and line ends stay.

    Args:
        text: The text.
        width: Longest line, indentation included.
        indent: In front of every line.
        first: In front of the first line instead.
    """
    lines: list[str] = []
    lead = indent if first is None else first
    room = max(width, len(indent) + 20)
    for paragraph in plain(text).split("\n"):
        wrapped = textwrap.wrap(
            paragraph, room, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False
        )
        lines += wrapped or [lead.rstrip()]
        lead = indent
    return lines
