"""One tree of errors. Each says what is wrong, where, and what to do.

A mistake of the user's ends as a :class:`SymposiaError` and is printed without a traceback. Errors of a model
backend are sorted by what the engine must do about them: wait and ask again (:class:`TransientError`), stop the
run and leave its tasks open (:class:`EndpointError`), or settle the one task as failed (:class:`RequestError`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class SymposiaError(Exception):
    """Base of every error that Symposia raises on purpose.

    Args:
        message: What is wrong and where, one sentence.
        hint: What to do about it, one sentence; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class UsageError(SymposiaError):
    """The command line or a call was given something it can't use."""

    exit_code = 2


class RecipeError(SymposiaError):
    """A recipe, constitution or persona pack is not valid; the message names file and line."""

    exit_code = 2


class PluginError(SymposiaError):
    """A plugin is broken, missing, or clashes with another."""

    exit_code = 2


class MissingExtraError(PluginError):
    """A part needs a library that is not installed; the hint says what to install."""


class SourceError(SymposiaError):
    """A source document or table can't be read."""

    exit_code = 2


class StoreError(SymposiaError):
    """The run folder can't be used: schema, damage, disk full."""

    exit_code = 5


class LockedError(StoreError):
    """Another process holds the run folder."""


class NoveltyError(SymposiaError):
    """An embedder or index gave something that can't be trusted (empty vector, other dimension)."""

    exit_code = 5


class VerifierError(SymposiaError):
    """A verifier broke; it never counts as a failed check."""


class GraphError(SymposiaError):
    """A graph broke its contract."""


class ExportError(SymposiaError):
    """An export can't be written."""


class BackendError(SymposiaError):
    """A model backend could not answer."""

    exit_code = 4


class TransientError(BackendError):
    """Worth asking again after a wait: overload, a dropped connection, a server error."""


class RateLimitedError(TransientError):
    """The endpoint asked for a pause; never counts as a failure.

    Args:
        message: What the endpoint said.
        retry_after_s: Seconds that the endpoint asked to wait, where it said so.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnreachableError(TransientError):
    """No connection came about: refused, unknown host, no route, bad certificate.

    One may come from a restart of the server; when none of the attempts connects, the endpoint is down.
    """


class EndpointError(BackendError):
    """The endpoint can't serve this run: wrong key, unknown model, unreachable, open circuit.

    The run stops and its open tasks stay open.
    """


class RequestError(BackendError):
    """This one request can't be answered; the task settles as failed.

    Args:
        message: What is wrong with the request.
        cause: Short machine-readable cause, for example ``context_overflow``.
    """

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class CapExceededError(SymposiaError):
    """A cap of the run (money, tokens, time) leaves no room for another request."""

    exit_code = 3


def did_you_mean(word: str, known: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """A hint that names the nearest known words, or all of them when none is near."""
    names = sorted(known)
    near = get_close_matches(word, names, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return "known: " + (", ".join(names) or "none")


@contextmanager
def boundary(error: type[SymposiaError], what: str) -> Iterator[None]:
    """Turn what a plugin or library raises into ``error``, once, at the edge where it enters.

    Our own errors pass through unchanged, so that a cause is attributed only once.
    """
    try:
        yield
    except SymposiaError:
        raise
    except Exception as exc:
        raise error(f"{what}: {type(exc).__name__}: {exc}") from exc
