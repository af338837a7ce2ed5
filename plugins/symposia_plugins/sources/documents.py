"""Passages of text and Markdown files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from symposia.errors import SourceError
from symposia.records import JsonObject, SourceRow, content_hash
from symposia_plugins.sources import DocumentsParams
from symposia_plugins.sources.chunks import Passage, count_tokens, pack, sections
from symposia_plugins.sources.files import decode, place, read_bytes

__all__ = ["DocumentSource"]

_MARKDOWN = frozenset({".md", ".markdown"})
_SUFFIXES = _MARKDOWN | {".txt", ".text"}
_MAGIC = frozenset("*?[")


class DocumentSource:
    """Yields the passages of one or many documents.

    A row has the id ``<file>#<n>``, n from 1, and the fields ``passage`` (a verbatim piece of the file, but with
    line ends as single newlines), ``title`` (the first heading of level 1, else the file's name), ``heading`` (the
    nearest heading below the title), ``source`` (the file) and ``sentences`` (those of the passage, each on one
    line). No passage crosses a heading, and headings are no part of one.

    Args:
        base: Folder against which a relative path is read.
        params: Where the files are and how they are cut.
    """

    def __init__(self, base: Path, params: DocumentsParams) -> None:
        self._base = base
        self._params = params

    def digest(self) -> str:
        """SHA-256 over names and bytes of the files and over what cuts them.

        Raises:
            SourceError: A file can't be read, or there is none.
        """
        files = [[name, hashlib.sha256(read_bytes(path)).hexdigest()] for name, path in self._files()]
        params = self._params
        return content_hash(["documents", 1, params.tokens, params.overlap, params.min_tokens, files])

    def rows(self) -> Iterator[SourceRow]:
        """The passages, file by file in the order of their names.

        Raises:
            SourceError: A file is missing, empty, binary or not UTF-8, or no file is long enough for a passage.
        """
        empty = True
        for name, path in self._files():
            for number, fields in enumerate(self._passages(name, path), start=1):
                empty = False
                yield SourceRow(id=f"{name}#{number}", fields=fields)
        if empty:
            raise SourceError(
                f"{self._params.path}: no section has {self._params.min_tokens} tokens or more",
                "lower `min_tokens`, or name longer documents",
            )

    def _passages(self, name: str, path: Path) -> Iterator[JsonObject]:
        text = decode(read_bytes(path), path)
        parts = sections(text, markdown=path.suffix.lower() in _MARKDOWN)
        top = next((part for part in parts if part.level == 1 and part.heading), None)
        title = top.heading if top else path.stem
        for part in parts:
            if sum(count_tokens(text[line.start : line.end]) for line in part.lines) < self._params.min_tokens:
                continue
            heading = "" if part is top else part.heading
            for passage in pack(text, part, self._params.tokens, self._params.overlap):
                yield _fields(text, passage, title, heading, name)

    def _files(self) -> list[tuple[str, Path]]:
        """Names and paths, sorted by name; a name is relative to the folder or to the fixed part of the glob."""
        path = place(self._base, self._params.path)
        if path.is_dir():
            found = [(file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file()]
            found = [(name, file) for name, file in found if _readable(name) and not _hidden(name)]
        elif path.exists() or not _MAGIC & set(self._params.path):
            found = [(path.name, path)]
        else:
            found = _globbed(path)
        for _, file in found:
            if file.suffix.lower() not in _SUFFIXES:
                raise SourceError(
                    f"{file}: the source 'documents' doesn't read '{file.suffix or file.name}' files",
                    "name .txt or .md files; turn others into text first",
                )
        if not found:
            raise SourceError(f"{path}: no text or Markdown file there", "check the source's path in the recipe")
        return sorted(found)


def _globbed(path: Path) -> list[tuple[str, Path]]:
    parts = path.parts
    fixed = next(number for number, part in enumerate(parts) if _MAGIC & set(part))
    root = Path(*parts[:fixed])
    try:
        found = [file for file in root.glob("/".join(parts[fixed:])) if file.is_file()]
    except (ValueError, OSError) as exc:
        raise SourceError(f"{path}: not a usable glob: {exc}", "use * within a name and ** for subfolders") from exc
    return [(file.relative_to(root).as_posix(), file) for file in found]


def _readable(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _SUFFIXES


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _fields(text: str, passage: Passage, title: str, heading: str, name: str) -> JsonObject:
    return {
        "passage": text[passage.start : passage.end],
        "title": title,
        "heading": heading,
        "source": name,
        "sentences": [" ".join(text[start:end].split()) for start, end in passage.sentences],
    }
