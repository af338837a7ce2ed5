"""A function or a file of replies instead of a model, for tests and examples that run offline."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from symposia.contracts import ChatReply, ChatRequest
from symposia.errors import EndpointError, RecipeError
from symposia.offers import BuildContext, Params
from symposia.records import Usage
from symposia.testing.scripted import Script, ScriptedBackend
from symposia_plugins.backends.params import ScriptedParams

__all__ = ["ScriptFile", "ScriptLine", "build"]


class ScriptLine(Params):
    """One line of a JSONL script.

    The first line that fits a request answers it, and stays. A line with ``once`` answers one request only; which
    one depends on timing when several are under way.

    Attributes:
        text: The reply.
        model: Answers only requests to this model name; so roles are told apart.
        contains: Answers only requests whose prompt contains this text.
        schema_name: Answers only requests for an answer in the schema of this name.
        finish_reason: Why the reply ended.
        once: Is used up by its first answer.
    """

    text: str
    model: str | None = None
    contains: str | None = None
    schema_name: str | None = None
    finish_reason: str = "stop"
    once: bool = False


class ScriptFile:
    """The lines of a JSONL script.

    Args:
        path: The file.

    Raises:
        RecipeError: It can't be read, or a line is no script line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = _read_lines(path)

    def __call__(self, request: ChatRequest) -> ChatReply:
        """The reply of the first line that fits.

        Raises:
            EndpointError: None fits.
        """
        line = next((line for line in self._lines if _fits(line, request)), None)
        if line is None:
            asked = request.messages[-1]["content"][-200:] if request.messages else ""
            raise EndpointError(
                f"no line of {self._path.name} answers model '{request.model}' asked: … {asked}",
                "add a line without conditions at the end, to answer everything else",
            )
        if line.once:
            self._lines.remove(line)
        return ChatReply(
            texts=(line.text,) * request.n,
            finish_reasons=(line.finish_reason,) * request.n,
            usage=Usage(calls=1, completion_tokens=request.n * len(line.text.split())),
            model_version="script",
        )


def _fits(line: ScriptLine, request: ChatRequest) -> bool:
    schema = request.json_schema.name if request.json_schema else None
    return (
        line.model in (None, request.model)
        and line.schema_name in (None, schema)
        and (line.contains is None or any(line.contains in message["content"] for message in request.messages))
    )


def _read_lines(path: Path) -> list[ScriptLine]:
    lines = []
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            lines.append(ScriptLine.model_validate(orjson.loads(raw)))
        except (orjson.JSONDecodeError, ValidationError) as exc:
            what = exc.errors(include_url=False)[0] if isinstance(exc, ValidationError) else None
            why = f"{'.'.join(map(str, what['loc']))}: {what['msg']}" if what else f"no JSON: {exc}"
            raise RecipeError(f"{path}:{number}: {why}", 'a line is like {"text": "…", "contains": "…"}') from None
    return lines


def build(params: ScriptedParams, bench: BuildContext) -> ScriptedBackend:
    """Build the backend.

    Its identity holds a digest of the script's file: after a change of the script nothing is answered from before.

    Raises:
        RecipeError: The script is not there, or is none.
    """
    name = params.script or params.base_url or params.model
    path, _, function = name.rpartition(":")
    if name.endswith(".jsonl"):
        file = _existing(bench.base / Path(name).expanduser(), name)
        return ScriptedBackend(ScriptFile(file), identity=_identity(name, file))
    if not path or not function.isidentifier():
        raise RecipeError(
            f"'{name}' is no script", "write module:function, path/to/file.py:function or the path of a .jsonl file"
        )
    module = _of_file(bench.base, path) if path.endswith(".py") else _of_name(path, name)
    script = _function(module, function, name)
    return ScriptedBackend(script, identity=_identity(name, _source(module)))


def _existing(path: Path, name: str) -> Path:
    if not path.is_file():
        raise RecipeError(f"the script '{name}' is not there: no file {path}")
    return path


def _of_file(base: Path, path: str) -> Any:
    file = _existing((base / Path(path).expanduser()).resolve(), path)
    name = f"symposia_script_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RecipeError(f"the script '{path}' can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _importing(path):
        spec.loader.exec_module(module)
    return module


def _of_name(module: str, name: str) -> Any:
    with _importing(name):
        return importlib.import_module(module)


@contextmanager
def _importing(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        raise RecipeError(f"the script '{name}' can't be imported: {type(exc).__name__}: {exc}") from exc


def _function(module: Any, function: str, name: str) -> Script:
    script = getattr(module, function, None)
    if not callable(script):
        raise RecipeError(f"the script '{name}' has no function '{function}'")
    found: Script = script
    return found


def _source(module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if file else None


def _identity(name: str, file: Path | None) -> str:
    """Name and content of a script; the place of its file is no part of it."""
    content = file.read_bytes() if file else b""
    short = name.replace("\\", "/").rsplit("/", 1)[-1]
    return f"script:{short}:{hashlib.sha256(content).hexdigest()[:16]}"
