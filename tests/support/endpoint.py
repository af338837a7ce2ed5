"""A model server whose answers depend on request and seed only, and whose latency is drawn anew at each start.

Run as ``python -m support.endpoint LOG LATENCY_S SEED``: prints its port, and appends one line to LOG for each
request it gets, with a digest of the prompt and the sampling seed. Of its drafts about a quarter quote words that
are not in the passage and about a quarter repeat one draft a passage, so that every gate has work to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

SENTENCE = re.compile(r"[^.!?]+[.!?]")


def prompt_digest(messages: list[dict[str, str]]) -> str:
    """Digest of a prompt, the same for equal prompts whatever the order of keys."""
    return hashlib.sha256(orjson.dumps(messages, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answer(body: dict[str, Any]) -> str:
    """What the model says: a function of the prompt and the seed."""
    digest = prompt_digest(body["messages"]) + str(body.get("seed"))
    chance = random.Random(digest)
    schema = body["response_format"]["json_schema"]["schema"]
    names = schema["properties"]
    if "objections" in names:
        return json.dumps({"objections": objections(body, chance)})
    if "answers" in names:
        answers = {name: {"action": "fix", "argument": "done"} for name in names["answers"]["properties"]}
        return json.dumps({"answers": answers, "draft": draft(body, chance)})
    return json.dumps(draft(body, chance))


def passage(body: dict[str, Any]) -> str:
    found = re.findall(r"<passage>\n(.*?)\n</passage>", body["messages"][-1]["content"], re.S)
    return str(found[-1]) if found else ""


def draft(body: dict[str, Any], chance: random.Random) -> dict[str, str]:
    sentences = [s.strip() for s in SENTENCE.findall(passage(body)) if len(s.split()) > 6]
    kind = chance.random()
    sentence = sentences[0] if kind < 0.25 else chance.choice(sentences)
    words = sentence.rstrip(".!?").split()
    quote = sentence if kind < 0.75 else " ".join(reversed(words))
    start = chance.randrange(max(1, len(words) - 6)) if kind >= 0.25 else 0
    topic = " ".join(words[start : start + 5]).lower()
    return {"quote": quote, "question": f"What does the text say about {topic}?", "answer": sentence}


def objections(body: dict[str, Any], chance: random.Random) -> list[dict[str, str]]:
    items = body["response_format"]["json_schema"]["schema"]["properties"]["objections"]["items"]["properties"]
    if chance.random() > 0.15:
        return []
    found = re.findall(r"What does the text say about [^?]*\?", body["messages"][-1]["content"])
    filled = {name: "because" for name in items}
    filled.update(principle=items["principle"]["enum"][0], severity="minor", quote=found[-1] if found else "x")
    return [filled]


class Server:
    """Answers after a drawn latency and notes what it was asked."""

    def __init__(self, log: str, latency_s: float, seed: int) -> None:
        self.log = Path(log).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - as long as the process
        self.latency_s = latency_s
        self.chance = random.Random(seed)
        self.in_flight = self.most_in_flight = 0

    async def chat(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.log.write(json.dumps([prompt_digest(body["messages"]), body.get("seed")]) + "\n")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.chance.random() * 2 * self.latency_s)
        self.in_flight -= 1
        text = answer(body)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 100, "completion_tokens": 50}
        return web.json_response({"model": body["model"], "choices": [choice], "usage": usage})

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "mock", "max_model_len": 8192}]})

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response({"most_in_flight": self.most_in_flight})


async def serve(log: str, latency_s: float, seed: int) -> None:
    server = Server(log, latency_s, seed)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/stats", server.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
