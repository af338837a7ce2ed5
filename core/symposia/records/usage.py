"""What model calls consumed. An unknown price stays unknown; it is never counted as nothing."""

from __future__ import annotations

from symposia.records.base import Record

__all__ = ["Usage"]


class Usage(Record):
    """Tokens and money of one or many calls.

    Attributes:
        calls: Number of answered requests.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        cost_usd: US dollars, or None when the price of any call is unknown.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )
