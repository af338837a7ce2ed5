"""Processor time that the graphs cost for one sample, when every role and verifier answers at once.

Prints one JSON object with milliseconds of processor time: ``one_draft`` (propose, screen, verify, criticise,
weigh, judge), ``two_drafts`` (with a revision in between), ``conclude`` (accepted in place) and ``park_and_resume``
(with the checkpoint file). The best of several repeats counts, because a shared machine drifts.

    python tests/benchmarks/bench_graphs.py [--samples 200] [--repeats 5] [--in-flight 50]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.negotiations import (
    FakeCritic,
    FakeGate,
    FakeJudge,
    FakeVerifier,
    draft_of,
    human_says,
    judge_seat,
    objects,
    revision,
    seat,
    table,
    ticket,
)
from symposia.contracts import ConcludeContext, NegotiateContext
from symposia.records import Negotiation, ReviewSpec
from symposia_graphs import InstructionParams
from symposia_graphs.graph import NegotiationGraph
from symposia_graphs.instructions import instruction_method


def _context(first: str) -> NegotiateContext:
    bad = FakeCritic(finds=lambda draft: [objects("true")] if draft.payload["response"] == "bad" else [])
    return table(
        [draft_of(first)],
        [revision("good", r0_0="fix")],
        bad,
        verifiers=[seat(FakeVerifier("form", cost="cheap", evidence="form")), seat(FakeVerifier())],
        judges=[judge_seat("one", FakeJudge())],
        gate=FakeGate(),
    )


async def _measure(samples: int, in_flight: int, one: Callable[[int], Awaitable[object]]) -> float:
    started = time.process_time()
    for start in range(0, samples, in_flight):
        await asyncio.gather(*(one(number) for number in range(start, min(start + in_flight, samples))))
    return (time.process_time() - started) / samples * 1000


async def _main(samples: int, repeats: int, in_flight: int, folder: Path) -> dict[str, float]:
    graph = NegotiationGraph(instruction_method(InstructionParams()), folder)
    made: dict[int, Negotiation] = {}
    parking = ConcludeContext(review=ReviewSpec(policy="all"))

    async def negotiate(first: str, number: int) -> None:
        made[number] = await graph.negotiate(ticket(number), _context(first))

    async def conclude(number: int) -> None:
        await graph.conclude(made[number], ConcludeContext(gate=FakeGate()))

    async def park(number: int) -> None:
        parked = await graph.conclude(made[number], parking)
        best = parked.negotiation.best
        assert best is not None and parked.decision.outcome == "parked"
        await graph.resume(parked.negotiation, human_says("accept", best, number), parking)

    ways: dict[str, tuple[Callable[[int], Awaitable[object]], int]] = {
        "one_draft": (lambda number: negotiate("good", number), in_flight),
        "two_drafts": (lambda number: negotiate("bad", number), in_flight),
        "conclude": (conclude, 1),
        "park_and_resume": (park, 1),
    }
    found: dict[str, float] = {}
    for _ in range(repeats):
        for name, (one, width) in ways.items():
            cost = await _measure(samples, width, one)
            found[name] = round(min(found.get(name, cost), cost), 2)
    await graph.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--in-flight", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        cpu_ms = asyncio.run(_main(given.samples, given.repeats, given.in_flight, Path(place)))
    print(json.dumps({"benchmark": "graphs", "cpu_ms": cpu_ms, "python": platform.python_version()}))
