"""Reads text files, and says in words what is wrong with one that can't be read."""

from __future__ import annotations

import codecs
from pathlib import Path

from symposia.errors import SourceError

__all__ = ["BOM", "decode", "place", "read_bytes", "wrong_encoding"]

BOM = codecs.BOM_UTF8
_OTHER_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def place(base: Path, path: str) -> Path:
    """A path of a recipe: ``~`` is the home folder, a relative one is read from ``base``."""
    return base / Path(path).expanduser()


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        SourceError: It is missing, a folder, or may not be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file", "check the source's path in the recipe") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder, not a file", "name a file in it") from None
    except OSError as exc:
        raise SourceError(f"{path}: can't be read: {exc.strerror or exc}", "check the file's permissions") from exc


def decode(data: bytes, path: Path) -> str:
    """The text of a UTF-8 file, without a byte order mark and with line ends as single newlines.

    Raises:
        SourceError: The file is empty, binary or in another encoding.
    """
    if not data.removeprefix(BOM).strip():
        raise SourceError(f"{path}: the file is empty", "leave it out, or put text in it")
    for mark, encoding in _OTHER_BOMS:
        if data.startswith(mark):
            raise wrong_encoding(path, encoding, "it starts with a byte order mark of that encoding")
    zero = data.find(b"\0")
    if zero >= 0:
        raise SourceError(f"{path}: a binary file (zero byte at offset {zero})", "name text files only (.txt, .md)")
    try:
        text = data.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as exc:
        offset = exc.start + (len(BOM) if data.startswith(BOM) else 0)
        raise wrong_encoding(path, guess(data), f"byte 0x{data[offset]:02x} at offset {offset}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def wrong_encoding(path: Path, encoding: str, why: str, where: str = "") -> SourceError:
    """The error for a file that is not UTF-8."""
    return SourceError(
        f"{path}{where}: not UTF-8: {why}; it looks like {encoding}",
        f"convert it: iconv -f {encoding} -t UTF-8 '{path}'",
    )


def guess(data: bytes) -> str:
    """A guess at the encoding of a text that is not UTF-8, by which characters it would hold."""
    for encoding, low, high, share, of_letters in (
        ("CP932", 0x3041, 0x30FF, 0.2, 0.0),  # Japanese text is full of kana
        ("EUC-KR", 0xAC00, 0xD7A3, 0.6, 0.0),
        ("GB18030", 0x4E00, 0x9FFF, 0.6, 0.0),
        ("WINDOWS-1251", 0x0410, 0x044F, 0.7, 0.5),  # single accents in Latin text would pass for Cyrillic
    ):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        foreign = [ord(char) for char in text if ord(char) > 0x7F]
        letters = sum(char.isalpha() for char in text)
        fitting = sum(low <= code <= high for code in foreign)
        if foreign and fitting >= share * len(foreign) and fitting >= of_letters * letters:
            return encoding
    return "WINDOWS-1252"
