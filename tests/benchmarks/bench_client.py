"""Processor time that one model call costs on our side, next to the floor of a bare aiohttp loop.

Prints one JSON object. A mock server answers at once from another process, so what is measured is this process
alone (all its threads, the ledger's included). Repeats of the four ways are interleaved: a shared machine drifts.

    python tests/benchmarks/bench_client.py [--calls 1500] [--repeats 7] [--in-flight 64]

The ways: ``bare_aiohttp`` posts and reads; ``backend`` is the vllm backend alone; ``client`` puts the ledger, the
limits and the budget around it; ``role`` adds prompt, schema, repair ladder and transcript.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import orjson

from symposia.contracts import Ask, Backend, ChatRequest, Schema
from symposia.host import Host, Workbench
from symposia.llm import Budget, Draw, Ledger, LogicalModel, Seating
from symposia.llm.client import Books, Client
from symposia.llm.limits import Lane
from symposia.offers import BackendParams
from symposia.records import Message, RoleSpec

TARGET_MS = 0.5
ANSWER = json.dumps({"question": "What holds the lamp?", "answer": "A brass frame " + "and glass " * 40})
BODY = orjson.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020},
    }
)
MODELS = orjson.dumps({"object": "list", "data": [{"id": "mock", "object": "model", "max_model_len": 8192}]})
CONSTITUTION = "Each answer is held against these principles. " * 60
SCHEMA = Schema(
    "QuestionAnswer",
    {
        "type": "object",
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
        "required": ["question", "answer"],
        "additionalProperties": False,
    },
    read=lambda value: value,
)


def prompt(number: int) -> tuple[Message, ...]:
    """A prompt of the size that a negotiation sends: a constant system text, a passage that changes."""
    return (
        {"role": "system", "content": CONSTITUTION},
        {"role": "user", "content": f"Passage {number}: " + "The keeper climbs the stairs at dusk. " * 30},
    )


# -- the server, in a process of its own ------------------------------------------------------------------------


class _Answering(asyncio.Protocol):
    """Just enough HTTP/1.1 with keep-alive: the server must never be what is slow."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            body = BODY if head.startswith(b"post") else MODELS
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(answer + body)


def serve(pipe: Connection) -> None:
    """Answer until the process is ended."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


# -- the four ways ----------------------------------------------------------------------------------------------


async def measure(call: Callable[[int], Awaitable[object]], calls: int, in_flight: int, first: int) -> float:
    """Milliseconds of processor time a call."""
    numbers = iter(range(first, first + calls))

    async def work() -> None:
        for number in numbers:
            await call(number)

    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return (time.process_time() - began) * 1000 / calls


async def ways(
    port: int, folder: Path, in_flight: int
) -> tuple[dict[str, Callable[[int], Awaitable[object]]], Callable[[], Awaitable[None]]]:
    """The ways to call by name, and how to close them."""
    url = f"http://127.0.0.1:{port}/v1"
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight))
    bench = Workbench(Host(), folder)
    params = BackendParams(model="mock", base_url=url, parallel=in_flight).model_dump()
    backend: Backend = bench.build("backend", "vllm", params)
    client_backend: Backend = bench.build("backend", "vllm", params)
    ledgers = [await Ledger.open(folder / f"{name}.sqlite") for name in ("client", "role")]
    client = Client(
        client_backend,
        LogicalModel.of("vllm", "mock", client_backend.identity),
        Lane("mock", in_flight),
        Books(ledgers[0], "bench", Budget()),
    )
    seating = Seating(bench, ledgers[1], run="bench", run_seed=0, in_flight=in_flight, budget=Budget())
    role = await seating.seat("teacher", RoleSpec(model="vllm/mock", base_url=url, max_tokens=400))

    def request(number: int) -> ChatRequest:
        return ChatRequest(model="mock", messages=prompt(number), temperature=0.7, max_tokens=400)

    async def bare(number: int) -> object:
        body = {"model": "mock", "messages": prompt(number), "temperature": 0.7, "max_tokens": 400, "seed": number}
        headers = {"content-type": "application/json"}
        async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=headers) as reply:
            return orjson.loads(await reply.read())["choices"][0]["message"]["content"]

    async def over_backend(number: int) -> object:
        return await backend.chat(request(number), 60.0)

    async def over_client(number: int) -> object:
        return await client.chat(request(number), Draw(0, number, "teacher", "propose", 0, 0, 0), 60.0)

    async def over_role(number: int) -> object:
        return await role.ask(Ask(task=number, round=0, kind="propose", messages=prompt(number), schema=SCHEMA))

    async def close() -> None:
        await session.close()
        await seating.close()
        for each in (backend, client_backend):
            await each.close()
        for ledger in ledgers:
            await ledger.close()

    return {"bare_aiohttp": bare, "backend": over_backend, "client": over_client, "role": over_role}, close


async def run(port: int, calls: int, repeats: int, in_flight: int) -> dict[str, object]:
    """All ways, interleaved; the first repeat only warms up."""
    with tempfile.TemporaryDirectory() as folder:
        calling, close = await ways(port, Path(folder), in_flight)
        found: dict[str, list[float]] = {name: [] for name in calling}
        for repeat in range(repeats + 1):
            for name, call in calling.items():
                spent = await measure(call, calls, in_flight, repeat * calls)
                if repeat:
                    found[name].append(spent)
        await close()
    medians = {name: round(statistics.median(spent), 4) for name, spent in found.items()}
    floor = medians["bare_aiohttp"]
    return {
        "benchmark": "client_cpu",
        "unit": "ms of processor time a call, median",
        "calls": calls,
        "repeats": repeats,
        "in_flight": in_flight,
        "median_ms": medians,
        "spread_ms": {name: [round(min(s), 4), round(max(s), 4)] for name, s in found.items()},
        "ratio_to_bare": {name: round(value / floor, 2) for name, value in medians.items()},
        "target_ms": TARGET_MS,
        "reached": {name: medians[name] <= TARGET_MS for name in ("client", "role")},
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--calls", type=int, default=1500)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--in-flight", type=int, default=64)
    asked = options.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        result = asyncio.run(run(here.recv(), asked.calls, asked.repeats, asked.in_flight))
    finally:
        server.terminate()
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
