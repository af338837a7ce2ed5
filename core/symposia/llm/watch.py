"""Deadlines of many calls with one timer: a timer for each call costs more than the rest of its bookkeeping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

__all__ = ["Watch"]

T = TypeVar("T")


class Watch:
    """Cuts off calls that do not keep their own deadline.

    Args:
        every_s: How often it looks; a call may be late by as much.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._until: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def over(self, call: Awaitable[T], seconds: float) -> T:
        """The result of a call.

        Raises:
            TimeoutError: It did not end in time; it was cancelled.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a watched call needs a task around it")
        called_off = task.cancelling()
        self._until[task] = monotonic() + seconds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)
        try:
            return await call
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= called_off:
                raise TimeoutError from None
            raise
        finally:
            del self._until[task]
            self._late.discard(task)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = monotonic()
        for task, until in self._until.items():
            if now > until and task not in self._late:
                self._late.add(task)
                task.cancel()
        if self._until:
            self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)
