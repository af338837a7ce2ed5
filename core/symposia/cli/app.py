"""The root of all commands: finds a verb's module when it is called, and says errors without a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from shutil import get_terminal_size
from traceback import format_exc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from symposia.cli.console import debugging, say, say_error
from symposia.cli.main import foreign_plugins
from symposia.cli.verbs import VERBS, help_text
from symposia.errors import SymposiaError
from symposia.secrets import redact

__all__ = ["Root", "application", "guarded"]

_SIGPIPE = 141
_INTERRUPTED = 130


class Root(TyperGroup):
    """All verbs, and the commands that plugins add."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, summary in VERBS.items():
            # Stands for the verb in suggestions; the real one is loaded when it is called.
            self.commands[name] = TyperCommand(name, help=summary, rich_markup_mode=None)

    @cached_property
    def _added(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Commands of plugins by name, and what went wrong with them."""
        return _plugin_commands() if next(foreign_plugins(), None) else ({}, ())

    def list_commands(self, ctx: Any) -> list[str]:
        """All verbs, in the order of the help."""
        return [*VERBS, *self._added[0]]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A verb, loaded now; None when there is none."""
        if cmd_name in VERBS:
            command = get_command(import_module(f"symposia.cli.commands.{cmd_name}").app)
            command.name = cmd_name
            return command
        return self._added[0].get(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The same page as the one that comes without loading anything."""
        added, problems = self._added
        summaries = {name: command.get_short_help_str(80) for name, command in added.items()}
        formatter.write(help_text(get_terminal_size().columns, summaries, problems))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what goes wrong is said in words."""
        return guarded(lambda: super(Root, self).invoke(ctx))


def guarded(work: Callable[[], Any]) -> Any:
    """Do some work; end the command with the right exit code and no traceback when it fails.

    Raises:
        typer.Exit: It failed.
    """
    try:
        try:
            return work()
        finally:
            sys.stdout.flush()
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except BrokenPipeError:
        # Whoever read has seen enough.
        _drop_output()
        raise typer.Exit(_SIGPIPE) from None
    except KeyboardInterrupt:
        say_error("interrupted")
        raise typer.Exit(_INTERRUPTED) from None
    except Exception as exc:
        if debugging():
            sys.stderr.write(redact(format_exc()))
        _explain(exc)
        if isinstance(exc, OSError) and exc.errno == errno.ENOSPC:
            _drop_output()
        raise typer.Exit(exc.exit_code if isinstance(exc, SymposiaError) else 1) from None


def _explain(exc: Exception) -> None:
    if isinstance(exc, SymposiaError):
        say_error(exc.message, exc.hint)
    elif isinstance(exc, OSError):
        say_error(str(exc), "check the path, its permissions and the space that is left")
    else:
        say_error(
            f"this is a bug in Symposia: {type(exc).__name__}: {exc}",
            "run it again with SYMPOSIA_DEBUG=1 and report what it says",
        )


def _drop_output() -> None:
    """Nothing more can be written, and must not be tried again at the end of the interpreter."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plugin_commands() -> tuple[dict[str, Any], tuple[str, ...]]:
    from symposia.host import Host

    try:
        host = Host()
    except SymposiaError as exc:
        return {}, ("", f"Plugins could not be loaded: {exc.message}")
    cli = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    before = len(host.broken)
    host.commands(cli)
    found = dict(get_group(cli).commands)
    clashes = sorted(set(found) & set(VERBS))
    problems = [f"A plugin's command '{name}' is left out: Symposia has one of that name." for name in clashes]
    problems += [f"Broken plugin {broken.owner}: {broken.error}" for broken in host.broken[before:]]
    kept = {name: command for name, command in found.items() if name not in VERBS}
    return kept, ("", *problems) if problems else ()


def _show_version(wanted: bool) -> None:
    if wanted:
        from symposia import __version__

        say(__version__)
        raise typer.Exit


def application() -> Any:
    """The whole command line as one callable; `typer.testing.CliRunner` takes it through `root`."""
    return get_command(root)


root = typer.Typer(
    cls=Root, no_args_is_help=True, rich_markup_mode=None, add_completion=True, pretty_exceptions_enable=False
)


@root.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", help="Show the version.", is_eager=True, callback=_show_version
    ),
) -> None:
    """Training data for language models, negotiated sample by sample."""
