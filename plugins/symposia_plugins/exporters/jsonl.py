"""JSON Lines: a row holds the chat, the payload, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import orjson

from symposia.errors import ExportError
from symposia.records import JsonObject, JsonValue, Sample

__all__ = ["JsonlExporter"]

_META = ("graph", "source_id", "persona", "evidence", "score", "rounds", "models", "constitution", "human")


class JsonlExporter:
    """Writes ``{"id", "messages", "payload", "metadata"}``, one object a line.

    Keys stand in a fixed order, those of payload and models sorted, and what is not known is left out, so equal
    samples give equal bytes. The file appears whole or not at all.
    """

    suffix = ".jsonl"

    def write(self, samples: Iterable[Sample], path: Path) -> int:
        """Write a whole file, replacing it at the end in one step; give the number of rows.

        Raises:
            ExportError: The file can't be written, or a sample holds nothing.
        """
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            count = _write(samples, unfinished)
            unfinished.replace(path)
            _sync_folder(path.parent)
        except OSError as exc:
            raise ExportError(
                f"{path}: can't be written: {exc.strerror or exc}",
                "free space or choose another place, then run `symposia export`",
            ) from exc
        finally:
            with suppress(OSError):
                unfinished.unlink()
        return count


def _write(samples: Iterable[Sample], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for sample in samples:
            file.write(orjson.dumps(_row(sample), option=orjson.OPT_APPEND_NEWLINE))
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _row(sample: Sample) -> JsonObject:
    if not sample.messages and not sample.payload:
        raise ExportError(f"sample {sample.id} of task {sample.task} holds nothing", "this is a fault of its graph")
    known = sample.model_dump(mode="json")
    meta: JsonObject = {name: _sorted(known[name]) for name in _META if known[name] not in (None, [], {})}
    messages: list[JsonValue] = [{"role": m["role"], "content": m["content"]} for m in sample.messages]
    return {"id": sample.id, "messages": messages, "payload": _sorted(known["payload"]), "metadata": meta}


def _sorted(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
