"""The caps of a run on money and tokens, checked before each request goes out."""

from __future__ import annotations

from symposia.errors import CapExceededError
from symposia.llm.tally import Sum
from symposia.records import Usage

__all__ = ["Budget"]


class Budget:
    """What a run may still spend. Answers out of the ledger cost nothing new.

    The check stands directly before the wire, so a cap is exceeded at most by what is in flight when it is reached.

    Args:
        max_cost_usd: Most US dollars, or None for no cap.
        max_tokens: Most tokens read and written, or None for no cap.
    """

    def __init__(self, max_cost_usd: float | None = None, max_tokens: int | None = None) -> None:
        self.max_cost_usd = max_cost_usd
        self.max_tokens = max_tokens
        self._paid = Sum()
        self._unpriced: str | None = None

    @property
    def paid(self) -> Usage:
        """What the run paid for so far, in this command and in earlier ones."""
        return self._paid.usage

    def start(self, paid: Usage) -> None:
        """Begin with what the ledger says that the run paid for in earlier commands."""
        self._paid = Sum(paid)
        if paid.cost_usd is None:
            self._unpriced = "a model that this run asked before"

    def add(self, usage: Usage, model: str) -> None:
        """Count an answer that was paid for."""
        self._paid.add(usage)
        if usage.cost_usd is None and self._unpriced is None:
            self._unpriced = model

    def check(self) -> None:
        """Whether there is room for a request.

        Raises:
            CapExceededError: A cap is reached, or can't be judged because a price is unknown.
        """
        if self.max_tokens is not None and self._paid.tokens >= self.max_tokens:
            raise CapExceededError(
                f"the cap of {self.max_tokens} tokens is reached ({self._paid.tokens} used)",
                "raise limits.max_tokens and run the same command again",
            )
        if self.max_cost_usd is None:
            return
        if self._unpriced is not None:
            raise self.unpriced(self._unpriced)
        spent = self._paid.cost_usd or 0.0
        if spent >= self.max_cost_usd:
            raise CapExceededError(
                f"the cap of ${self.max_cost_usd:g} is reached (${spent:.4f} spent)",
                "raise limits.max_cost_usd and run the same command again",
            )

    def unpriced(self, model: str) -> CapExceededError:
        """The error that says why a cap on money can't be held."""
        return CapExceededError(
            f"limits.max_cost_usd can't be held: the price of {model} is unknown",
            "cap tokens instead (limits.max_tokens), or use a backend that knows the price",
        )
