"""Rows of a JSON Lines file: one object a line, blank lines skipped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson

from symposia.errors import SourceError, did_you_mean
from symposia.records import JsonObject, SourceRow, canonical_json, content_hash
from symposia_plugins.sources import JsonlParams
from symposia_plugins.sources.files import BOM, place, wrong_encoding

__all__ = ["JsonlSource"]

_BLOCK = 1 << 20


class JsonlSource:
    """Yields the rows of one file; a row's id is ``<file name>#<line number>``, from 1.

    Args:
        base: Folder against which a relative path is read.
        params: The file and the kept fields.
    """

    def __init__(self, base: Path, params: JsonlParams) -> None:
        self._path = place(base, params.path)
        self._fields = params.fields

    def digest(self) -> str:
        """SHA-256 over the file's bytes and the kept fields.

        Raises:
            SourceError: The file can't be read.
        """
        sha = hashlib.sha256()
        with self._opened() as file:
            while block := file.read(_BLOCK):
                sha.update(block)
        return content_hash(["jsonl", 1, self._path.name, list(self._fields), sha.hexdigest()])

    def rows(self) -> Iterator[SourceRow]:
        """The rows in file order, read as they are asked for.

        Raises:
            SourceError: The file can't be read, a line is no JSON object in UTF-8, a kept field is missing, or
                there is no row at all; the message names the line.
        """
        empty = True
        with self._opened() as file:
            for number, line in enumerate(file, start=1):
                raw = line.removeprefix(BOM) if number == 1 else line
                if not raw.strip():
                    continue
                empty = False
                yield SourceRow(id=f"{self._path.name}#{number}", fields=self._row(raw, number))
        if empty:
            raise SourceError(f"{self._path}: the file holds no rows", "put one JSON object on each line")

    def _opened(self) -> IO[bytes]:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            raise SourceError(f"{self._path}: no such file", "check the source's path in the recipe") from None
        except IsADirectoryError:
            raise SourceError(f"{self._path}: is a folder, not a file", "name one JSON Lines file") from None
        except OSError as exc:
            raise SourceError(f"{self._path}: can't be read: {exc.strerror}", "check its permissions") from exc

    def _row(self, raw: bytes, number: int) -> JsonObject:
        where = f"{self._path}, line {number}"
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as exc:
            encoding = "UTF-16" if b"\0" in raw else "WINDOWS-1252"
            why = f"byte 0x{raw[exc.start]:02x} at offset {exc.start} of the line"
            raise wrong_encoding(self._path, encoding, why, f", line {number}") from None
        try:
            value = orjson.loads(raw)
            canonical_json(value)
        except orjson.JSONDecodeError as exc:
            raise SourceError(
                f"{where}: not valid JSON: {exc.msg} (column {exc.colno})", "each line must be one JSON object"
            ) from None
        except TypeError as exc:
            raise SourceError(f"{where}: can't be stored again: {exc}", "make the row simpler") from None
        if not isinstance(value, dict):
            raise SourceError(
                f"{where}: {_KINDS.get(type(value), 'a value')} instead of an object",
                'each line must be one JSON object, like {"text": "…"}',
            )
        return self._kept(value, where)

    def _kept(self, value: JsonObject, where: str) -> JsonObject:
        missing = next((name for name in self._fields if name not in value), None)
        if missing is not None:
            raise SourceError(f"{where}: no field '{missing}'", did_you_mean(missing, list(value)))
        return {name: value[name] for name in self._fields} if self._fields else value


_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a truth value"}
