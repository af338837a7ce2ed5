"""Over the wire: places, waits and second attempts around a backend that makes exactly one attempt a call.

What a backend raises is sorted by what it says about whom: a refusal for load about the lane, a failure that others
at the same endpoint do not share about the request, and one that everybody shares about the endpoint.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from symposia.contracts import Backend, Capabilities, ChatReply, ChatRequest
from symposia.errors import (
    EndpointError,
    RateLimitedError,
    RequestError,
    SymposiaError,
    TransientError,
    UnreachableError,
)
from symposia.llm.budget import Budget
from symposia.llm.limits import Lane, Patience
from symposia.llm.text import clean_reply
from symposia.llm.watch import Watch
from symposia.secrets import redact

__all__ = ["Wire"]


class Wire:
    """The way to one backend.

    Args:
        backend: What answers.
        name: Logical name of its model, for errors.
        lane: The endpoint's limit.
        budget: What the run may still spend.
        patience: How long a request is tried again.
    """

    def __init__(self, backend: Backend, name: str, lane: Lane, budget: Budget, patience: Patience) -> None:
        self._backend = backend
        self._name = name
        self._lane = lane
        self._budget = budget
        self._patience = patience
        self._watch = Watch(patience.grace_s / 5)

    async def send(self, request: ChatRequest, timeout_s: float) -> tuple[ChatReply, float]:
        """The reply, fit to be stored, and the seconds that its last attempt was on the wire.

        Waiting for a place and for a rate limit has no end. The deadline is that of one attempt.

        Raises:
            RequestError: It failed too often while others at the endpoint succeeded (cause ``deadline`` or
                ``server_error``), or the backend says that it can't be answered.
            EndpointError: Nothing at the endpoint succeeds.
            CapExceededError: A cap is reached.
        """
        failed = limited = 0
        first = 0.0
        while True:
            number = await self._lane.enter(again=failed + limited > 0)
            began = monotonic()
            try:
                self._budget.check()
                reply = await self._attempt(request, timeout_s)
                self._lane.succeeded()
                return clean_reply(reply), monotonic() - began
            except RateLimitedError as exc:
                self._lane.refused(number, exc.retry_after_s)
                limited += 1
                wait = 0.0 if exc.retry_after_s else self._patience.wait(limited, proven=True)
            except Exception as exc:
                error = self._sorted_out(exc)
                failed += self._note(number, error)
                first = first or began
                self._lane.leave(number)
                self._give_up(failed, first, error)
                wait = self._patience.wait(failed, proven=self._lane.proven)
            finally:
                self._lane.leave(number)
            await asyncio.sleep(wait)

    async def capabilities(self) -> Capabilities:
        """What the backend is able to do with its model.

        Raises:
            EndpointError: The endpoint does not answer.
        """
        failed = 0
        while True:
            try:
                return await self._backend.capabilities()
            except RateLimitedError as exc:
                wait = exc.retry_after_s or self._patience.wait(1, proven=True)
            except Exception as exc:
                error = self._sorted_out(exc)
                failed += 1
                if failed >= self._patience.tries:
                    raise self._out_of_order(failed, error) from error
                wait = self._patience.wait(failed, proven=False)
            await asyncio.sleep(wait)

    def close(self) -> None:
        """Stop watching deadlines."""
        self._watch.close()

    async def _attempt(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        reply = await self._watch.over(self._backend.chat(request, timeout_s), timeout_s + self._patience.grace_s)
        if not reply.texts:
            raise TransientError("the reply holds no choice")
        return reply

    def _note(self, number: int, error: TransientError) -> int:
        """Tell the lane what a failure says about the load; give the tries that it costs."""
        if _is_deadline(error):
            self._lane.refused(number)
            return 2
        if not isinstance(error, UnreachableError):
            self._lane.stumbled(number)
        return 1

    def _sorted_out(self, exc: Exception) -> TransientError:
        """The failure when it is worth another attempt; everything else is raised as what it is."""
        if isinstance(exc, SymposiaError):
            exc.message, exc.hint = redact(exc.message), redact(exc.hint)
            exc.args = (exc.message,)
            if not isinstance(exc, TransientError):
                raise exc
            return exc
        what = redact(f"{type(exc).__name__}: {exc}")
        if not isinstance(exc, OSError):
            raise EndpointError(
                f"the backend of {self._name} broke: {what}", "this is a fault of the backend; tell its author"
            ) from exc
        error = TransientError("no answer within the deadline" if isinstance(exc, TimeoutError) else what)
        error.__cause__ = exc
        return error

    def _give_up(self, failed: int, first: float, error: TransientError) -> None:
        unreachable = isinstance(error, UnreachableError)
        if failed < self._patience.tries:
            if unreachable and not self._lane.proven and monotonic() - first > self._patience.unproven_s:
                raise self._out_of_order(failed, error) from error
            return
        if self._lane.succeeded_since(first):
            # That there was no connection is never the fault of one request: go on while others get one.
            if unreachable:
                return
            raise RequestError(
                f"{self._name}: the request failed {failed} times while others at {self._lane.endpoint} "
                f"succeeded; last: {error.message}",
                "deadline" if _is_deadline(error) else "server_error",
            ) from error
        # Requests that are still under way from before may yet show that the endpoint is sound.
        if not self._lane.pending_since(first):
            raise self._out_of_order(failed, error) from error

    def _out_of_order(self, failed: int, error: TransientError) -> EndpointError:
        never = "has never answered" if not self._lane.proven else "does not answer any more"
        return EndpointError(
            f"{self._lane.endpoint} ({self._name}) {never}: {failed} attempts failed, last: {error.message}",
            "check that the server runs and that the address is right, then run the same command again: "
            "answers that are stored are not asked for twice",
        )


def _is_deadline(error: TransientError) -> bool:
    return isinstance(error.__cause__, TimeoutError)
