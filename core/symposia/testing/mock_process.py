"""The mock server as a process of its own, for benchmarks and for tests that kill what they test."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import signal
from contextlib import suppress

from symposia.testing.mock_openai import Answer, Faults, MockOpenAI

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve until a signal to stop comes; print ``{"port": …, "base_url": …}`` when ready."""
    given = _parser().parse_args(arguments)
    faults = Faults(
        rate_limited=given.rate_limited,
        server_error=given.server_error,
        dropped=given.dropped,
        truncated=given.truncated,
        garbage=given.garbage,
        retry_after_s=given.retry_after,
    )
    mock = MockOpenAI(
        _named(given.answer),
        models=tuple(given.model),
        latency_s=given.latency,
        jitter=given.jitter,
        faults=faults,
        seed=given.seed,
        key=given.key,
        max_model_len=given.max_model_len,
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(mock, given.port))


async def _serve(mock: MockOpenAI, port: int) -> None:
    base_url = await mock.start(port)
    print(json.dumps({"port": mock.port, "base_url": base_url}), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await mock.close()


def _named(name: str | None) -> Answer | None:
    if name is None:
        return None
    module, _, function = name.partition(":")
    answer: Answer = getattr(importlib.import_module(module), function)
    return answer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m symposia.testing.mock_openai", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--answer", help="module:function that gives the answers")
    parser.add_argument("--model", action="append", default=[], help="a name it serves; any when not given")
    parser.add_argument("--latency", type=float, default=0.0, help="mean seconds before an answer")
    parser.add_argument("--jitter", type=float, default=0.5, help="spread around the mean, from 0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="of latencies and faults")
    parser.add_argument("--key", help="the key that requests must carry")
    parser.add_argument("--max-model-len", type=int, default=4096)
    for fault in ("rate-limited", "server-error", "dropped", "truncated", "garbage"):
        parser.add_argument(f"--{fault}", type=float, default=0.0, help="share of requests, from 0 to 1")
    parser.add_argument("--retry-after", type=float, default=0.05, help="seconds in Retry-After")
    return parser
