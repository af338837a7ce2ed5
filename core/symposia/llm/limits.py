"""How many requests an endpoint gets at once: it finds out by itself.

The method is additive increase, multiplicative decrease (Chiu and Jain 1989): each answer widens the lane a little,
a refusal halves it, at most once a round trip. Whoever waits for a place waits without a clock.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

__all__ = ["Lane", "Patience"]

_CUT = 0.5
_MEMORY = 0.1
"""Weight of the last outcome in the share of requests that fail."""
_MOST = 0.5


@dataclass(frozen=True)
class Patience:
    """How long one request is tried again.

    Attributes:
        tries: Failed attempts after which a request is given up; a missed deadline counts as two of them, a rate
            limit as none.
        base_s: Longest wait before the second attempt; it doubles with each further one.
        cap_s: Longest wait between two attempts.
        unproven_cap_s: Longest wait while the endpoint has never answered.
        unproven_s: How long a connection to an endpoint is tried that has never answered.
        grace_s: How long after its deadline a backend is cut off that does not keep it.
        random: Source of the jitter.
    """

    tries: int = 6
    base_s: float = 1.0
    cap_s: float = 30.0
    unproven_cap_s: float = 2.0
    unproven_s: float = 8.0
    grace_s: float = 5.0
    random: Callable[[], float] = field(default=random.random, compare=False)

    def wait(self, failed: int, *, proven: bool) -> float:
        """Seconds to wait after the ``failed``-th failure: exponential, with full jitter."""
        cap = self.cap_s if proven else self.unproven_cap_s
        return self.random() * min(cap, self.base_s * 2.0 ** min(failed - 1, 16))


class Lane:
    """The requests on the wire to one endpoint, for all roles that speak to it.

    Args:
        endpoint: What shares the limit.
        width: Most requests at once; the lane starts with it and never exceeds it.
    """

    def __init__(self, endpoint: str, width: int) -> None:
        self.endpoint = endpoint
        self.width = width
        self.proven = False
        self._limit = float(width)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._wire: dict[int, float] = {}
        self._next = 0
        self._granted = 0
        self._failing = 0.0
        self._cut_at = float("-inf")
        self._succeeded_at = float("-inf")
        self._paused_until = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Requests that may be on the wire now."""
        return max(1, int(self._limit))

    @property
    def on_wire(self) -> int:
        """Requests that are on the wire."""
        return len(self._wire)

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return sum(not place.done() for place in self._waiting)

    @property
    def paused_s(self) -> float:
        """Seconds until the lane opens again; 0 when it is open."""
        return max(0.0, self._paused_until - monotonic())

    async def enter(self, *, again: bool = False) -> int:
        """Wait for a place and give its number; one that was refused before comes first.

        The caller must `leave` with that number.
        """
        if not self._open() or (self._waiting and not again):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if again:
                self._waiting.appendleft(place)
            else:
                self._waiting.append(place)
            self._wake()
            try:
                await place
            except asyncio.CancelledError:
                self._give_back(place)
                raise
            self._granted -= 1
        number = self._next = self._next + 1
        self._wire[number] = monotonic()
        return number

    def leave(self, number: int) -> None:
        """Give a place back."""
        self._wire.pop(number, None)
        if self._waiting:
            self._wake()

    def succeeded(self) -> None:
        """An answer came: widen the lane, by one place a round trip."""
        self.proven = True
        self._succeeded_at = monotonic()
        self._failing *= 1 - _MEMORY
        if self._limit < self.width:
            self._limit = min(float(self.width), self._limit + 1.0 / self._limit)

    def refused(self, number: int, retry_after_s: float | None = None) -> None:
        """The endpoint has too much to do: halve the lane, and close it for as long as it asked."""
        self._cut(number)
        if retry_after_s:
            self.pause(retry_after_s)

    def stumbled(self, number: int) -> None:
        """A request failed. A few do at any server; when most do, the server has too much to do: halve the lane."""
        self._failing += (1 - self._failing) * _MEMORY
        if self._failing > _MOST:
            self._cut(number)

    def pause(self, seconds: float) -> None:
        """Let nothing start for some seconds; what is on the wire goes on."""
        until = monotonic() + seconds
        if until <= self._paused_until:
            return
        self._paused_until = until
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._reopen)

    def succeeded_since(self, moment: float) -> bool:
        """Whether any request was answered after a moment of the monotonic clock."""
        return self._succeeded_at > moment

    def pending_since(self, moment: float) -> bool:
        """Whether a request that was sent before a moment is still on the wire."""
        oldest = next(iter(self._wire.values()), None)
        return oldest is not None and oldest < moment

    def close(self) -> None:
        """Stop the timer of a pause."""
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self, number: int) -> None:
        # What became of requests that were sent before the last cut says nothing about the lane as it is now.
        if self._wire.get(number, monotonic()) > self._cut_at:
            self._cut_at = monotonic()
            self._limit = max(1.0, min(self._limit, float(len(self._wire))) * _CUT)

    def _open(self) -> bool:
        return len(self._wire) + self._granted < self.limit and monotonic() >= self._paused_until

    def _reopen(self) -> None:
        self._timer = None
        # The timer may ring a little before the clock shows its time.
        self._paused_until = float("-inf")
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._open():
            place = self._waiting.popleft()
            if not place.done():
                self._granted += 1
                place.set_result(None)

    def _give_back(self, place: asyncio.Future[None]) -> None:
        if place.cancelled():
            # Whoever asks next finds it in the queue, done, and steps over it; a long queue must not hold it.
            if place in self._waiting:
                self._waiting.remove(place)
        else:
            self._granted -= 1
            self._wake()
