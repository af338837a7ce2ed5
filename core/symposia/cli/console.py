"""What the commands print with: secrets masked, control characters made visible, markup off."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from shutil import get_terminal_size
from typing import IO, TYPE_CHECKING, Any

import orjson

from symposia.report.text import plain
from symposia.secrets import redact

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from symposia.report.transcript import Line

__all__ = [
    "debugging",
    "is_terminal",
    "make_console",
    "make_table",
    "print_lines",
    "say",
    "say_error",
    "say_json",
    "show_path",
    "width",
]

_PIPE_WIDTH = 120
_STYLES = {
    "title": "bold",
    "speaker": "bold cyan",
    "good": "green",
    "bad": "red",
    "doubt": "yellow",
    "faint": "dim",
    "plain": "",
}


class _Masked:
    """A stream that masks secrets, whatever is written."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redact(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def debugging() -> bool:
    """Whether tracebacks are wanted (``SYMPOSIA_DEBUG=1``)."""
    return os.environ.get("SYMPOSIA_DEBUG", "") not in {"", "0"}


def is_terminal(stream: IO[str] | None = None) -> bool:
    """Whether a person looks at the output."""
    return (stream or sys.stdout).isatty()


def width() -> int:
    """Columns to write for."""
    return get_terminal_size((_PIPE_WIDTH, 40)).columns if is_terminal() or "COLUMNS" in os.environ else _PIPE_WIDTH


def make_console(*, stderr: bool = False) -> Console:
    """A rich console that takes texts as they are."""
    from rich.console import Console

    class Quiet(Console):
        """One that leaves it to `symposia.cli.app.guarded` when the reader has gone."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream: Any = _Masked(sys.stderr if stderr else sys.stdout)
    return Quiet(file=stream, markup=False, highlight=False, emoji=False, width=None if is_terminal() else width())


def make_table(*columns: str, right: Iterable[str] = (), whole: Iterable[str] = ()) -> Table:
    """An empty table.

    Args:
        columns: Titles of the columns.
        right: Titles of those aligned to the right.
        whole: Titles of those that are never broken.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title in columns:
        table.add_column(
            title, justify="right" if title in right else "left", no_wrap=title in whole, overflow="fold"
        )
    return table


def say(text: str = "", *, stderr: bool = False) -> None:
    """Print a line; a terminal gets it broken between words."""
    stream = sys.stderr if stderr else sys.stdout
    shown = redact(plain(text))
    if len(shown) > width() and is_terminal(stream):
        hang = " " * (len(shown) - len(shown.lstrip()) + 2)
        shown = "\n".join(
            textwrap.fill(line, width(), subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
            for line in shown.split("\n")
        )
    stream.write(shown + "\n")


def say_error(message: str, hint: str = "") -> None:
    """Print what went wrong, and what to do about it, to the error stream."""
    head = "\x1b[1;31mError:\x1b[0m" if is_terminal(sys.stderr) and "NO_COLOR" not in os.environ else "Error:"
    sys.stderr.write(f"{head} {redact(plain(message))}\n")
    if hint:
        sys.stderr.write(f"  → {redact(plain(hint))}\n")
    sys.stderr.flush()


def say_json(value: Any, *, line: bool = False) -> None:
    """Print a value as JSON, indented or on one line."""
    option = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS | (0 if line else orjson.OPT_INDENT_2)
    sys.stdout.write(redact(orjson.dumps(value, default=str, option=option).decode()))
    if line:
        sys.stdout.flush()


def print_lines(lines: Iterable[Line], console: Console | None = None) -> None:
    """Print the lines of a transcript in the colours of their tones."""
    from rich.text import Text

    console = console or make_console()
    for line in lines:
        console.print(Text(line.text, style=_STYLES[line.tone]), soft_wrap=True)


def show_path(path: Path) -> str:
    """A path as a user would type it here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
