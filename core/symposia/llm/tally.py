"""What the models are doing right now, for the progress line."""

from __future__ import annotations

from dataclasses import dataclass

from symposia.records import Usage

__all__ = ["Pulse", "Tally"]


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
        self.answered = 0
        self.hits = 0
        self.usage = Usage()

    def answer(self, usage: Usage) -> None:
        """An answer came over the wire."""
        self.answered += 1
        self.usage = self.usage + usage
