"""Where the command starts. The help page comes without loading anything that the commands need."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

__all__ = ["foreign_plugins", "main"]


def main() -> None:
    """Run the command line of this process; ends it with the exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A terminal that can't show a character shows a question mark, and the command goes on.
            reconfigure(errors="replace")
    arguments = sys.argv[1:]
    completing = "_SYMPOSIA_COMPLETE" in os.environ
    if arguments in ([], ["--help"]) and not completing and next(foreign_plugins(), None) is None:
        from shutil import get_terminal_size

        from symposia.cli.verbs import help_text

        failed = _write_page(help_text(get_terminal_size().columns, {}))
        sys.exit(failed or (0 if arguments else 2))
    from symposia.cli.app import application

    application()(prog_name="symposia")


def foreign_plugins() -> Iterator[str]:
    """Installed distributions beside Symposia that offer plugins; only they could add commands.

    Reads the metadata files itself: `importlib.metadata` takes longer to load than everything else that the help
    page needs. Where a distribution lies in an archive, it is asked after all.
    """
    for folder in dict.fromkeys(sys.path):
        try:
            with os.scandir(folder or ".") as found:
                names = [entry.name for entry in found if entry.name.endswith((".dist-info", ".egg-info"))]
        except NotADirectoryError:
            yield from _foreign_plugins_by_metadata()
            return
        except OSError:
            continue
        for name in names:
            if not name.startswith("symposia-") and _offers_plugins(f"{folder or '.'}/{name}/entry_points.txt"):
                yield name


def _offers_plugins(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib loads more than this
            return "[symposia]" in file.read()
    except OSError:
        return False


def _foreign_plugins_by_metadata() -> Iterator[str]:
    from importlib.metadata import entry_points

    for entry in entry_points(group="symposia"):
        if entry.dist is None or entry.dist.name != "symposia":
            yield entry.dist.name if entry.dist else entry.name


def _write_page(text: str) -> int:
    """Write the help page; give the exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as exc:
        # The end of the interpreter must not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(exc, BrokenPipeError):
            return 141
        sys.stderr.write(f"Error: {exc}\n")
        return 1
    return 0
