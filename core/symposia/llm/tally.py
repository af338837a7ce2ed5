"""What the models are doing right now, for the progress line."""

from __future__ import annotations

from dataclasses import dataclass

from symposia.records import Usage

__all__ = ["Pulse", "Sum", "Tally"]


class Sum:
    """A running total; cheaper than a new record for each answer."""

    __slots__ = ("calls", "completion_tokens", "cost_usd", "prompt_tokens")

    def __init__(self, start: Usage | None = None) -> None:
        start = start or Usage()
        self.calls = start.calls
        self.prompt_tokens = start.prompt_tokens
        self.completion_tokens = start.completion_tokens
        self.cost_usd = start.cost_usd

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def usage(self) -> Usage:
        """The total as a record."""
        return Usage(
            calls=self.calls,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost_usd=self.cost_usd,
        )

    def add(self, usage: Usage) -> None:
        """Count one more; an unknown price makes the whole unknown."""
        self.calls += usage.calls
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        if self.cost_usd is not None:
            self.cost_usd = None if usage.cost_usd is None else self.cost_usd + usage.cost_usd


@dataclass(frozen=True, slots=True)
class Pulse:
    """One look at the traffic of a run.

    Attributes:
        in_flight: Requests on the wire.
        waiting: Requests that wait for a place at their endpoint.
        paused_s: Seconds until the endpoint that is closed longest opens again; 0 when all are open.
        answered: Answers that came over the wire in this command.
        hits: Answers that came out of the ledger in this command.
        usage: What this command paid for.
        paid: What the run paid for in all its commands.
    """

    in_flight: int
    waiting: int
    paused_s: float
    answered: int
    hits: int
    usage: Usage
    paid: Usage

    @property
    def tokens(self) -> int:
        """Tokens read and written in this command."""
        return self.usage.tokens


class Tally:
    """Counts answers as they come."""

    def __init__(self) -> None:
        self.hits = 0
        self._sum = Sum()

    @property
    def answered(self) -> int:
        """Answers that came over the wire."""
        return self._sum.calls

    @property
    def usage(self) -> Usage:
        """What they cost."""
        return self._sum.usage

    def answer(self, usage: Usage) -> None:
        """An answer came over the wire."""
        self._sum.add(usage)
