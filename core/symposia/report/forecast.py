"""What is left of a run: the acceptance rate with its interval, and from it candidates, time and money."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Forecast", "forecast", "wilson"]

_Z = 1.6448536269514722
"""Two-sided 90%."""


def wilson(successes: int, trials: int, z: float = _Z) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927), which stays sensible for few trials and near 0 and 1.

    Args:
        successes: Number of successes.
        trials: Number of trials, at least 1.
        z: Standard score of the wanted confidence; 1.645 for 90%.
    """
    if trials < 1:
        raise ValueError("an interval needs at least one trial")
    share = successes / trials
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    centre = share + z * z / (2 * trials)
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True)
class Forecast:
    """What can be said about the rest of a run.

    Attributes:
        rate: Share of settled candidates that were taken.
        low: Lower end of its 90% interval.
        high: Upper end.
        candidates: Candidates that are still needed at this rate; None while none was taken.
        seconds: Seconds that they take at the present pace; None while unknown.
        cost_usd: What they cost at the present mean; None while unknown.
    """

    rate: float
    low: float
    high: float
    candidates: int | None
    seconds: float | None
    cost_usd: float | None


def forecast(
    *,
    wanted: int,
    taken: int,
    settled: int,
    pace_s: float | None,
    cost_usd: float | None,
) -> Forecast | None:
    """Look ahead; None as long as nothing is settled.

    Args:
        wanted: Samples asked for.
        taken: Accepted and parked ones.
        settled: All settled candidates.
        pace_s: Seconds from one settled candidate to the next; None while unknown.
        cost_usd: Money spent on the settled ones; None when a price is unknown.
    """
    if settled < 1:
        return None
    low, high = wilson(taken, settled)
    left = max(wanted - taken, 0)
    candidates = math.ceil(left * settled / taken) if taken else (0 if left == 0 else None)
    return Forecast(
        rate=taken / settled,
        low=low,
        high=high,
        candidates=candidates,
        seconds=candidates * pace_s if candidates is not None and pace_s is not None else None,
        cost_usd=cost_usd / settled * candidates if cost_usd is not None and candidates is not None else None,
    )
