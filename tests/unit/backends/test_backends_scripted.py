"""Scripts and recordings in place of a model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from symposia.contracts import Backend, Capabilities, ChatReply, ChatRequest, JsonSchemaSpec
from symposia.errors import EndpointError, PluginError, RecipeError, SourceError, TransientError
from symposia.host import Host, Workbench
from symposia.llm import Ledger
from symposia.llm.entry import entry_of
from symposia.llm.keys import Draw, LogicalModel, pieces_of
from symposia.records import Usage
from symposia.testing import ScriptedBackend, ScriptedPlugin
from symposia.testing.conformance.backend import check_backend

REQUEST = ChatRequest(
    model="m", messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Colour?"})
)
DRAW = Draw(0, 0, "", "", 0, 0, 0)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(Host(), tmp_path)


def made(bench: Workbench, name: str = "scripted", **params: Any) -> Backend:
    backend: Backend = bench.build("backend", name, {"model": "m", **params})
    return backend


def answer(request: ChatRequest) -> str:
    if request.json_schema is not None:
        return '{"colour": "blue", "sure": true, "kind": "cold"}'
    return "Blue."


async def test_conformance() -> None:
    await check_backend(lambda: ScriptedBackend(answer), model="m")


async def test_a_script_may_take_its_time_and_give_a_whole_reply() -> None:
    reply = ChatReply(texts=("a",), finish_reasons=("length",), usage=Usage(calls=1))

    async def slow(request: ChatRequest) -> ChatReply:
        await asyncio.sleep(0)
        return reply

    assert await ScriptedBackend(slow).chat(REQUEST, 1.0) == reply


async def test_a_text_is_counted_in_words() -> None:
    reply = await ScriptedBackend(answer).chat(REQUEST, 1.0)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cost_usd) == (3, 1, 0.0)


async def test_a_script_that_is_late_or_wrong_raises_as_a_backend_does() -> None:
    async def late(request: ChatRequest) -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(TransientError) as caught:
        await ScriptedBackend(late).chat(REQUEST, 0.01)
    assert isinstance(caught.value.__cause__, TimeoutError)

    def broken(request: ChatRequest) -> str:
        raise KeyError("oops")

    with pytest.raises(EndpointError, match="KeyError"):
        await ScriptedBackend(broken).chat(REQUEST, 1.0)

    def own(request: ChatRequest) -> str:
        raise TransientError("busy")

    with pytest.raises(TransientError, match="busy"):
        await ScriptedBackend(own).chat(REQUEST, 1.0)

    def number(request: ChatRequest) -> Any:
        return 5

    with pytest.raises(EndpointError, match="gave a int"):
        await ScriptedBackend(number).chat(REQUEST, 1.0)


async def test_a_test_offers_its_own_backends(tmp_path: Path) -> None:
    able = Capabilities(logprobs=True)
    plugin = ScriptedPlugin(fake=answer, my_other=ScriptedBackend(answer, able=able))
    bench = Workbench(Host(extra=[plugin]), tmp_path)
    assert (await made(bench, "fake").chat(REQUEST, 1.0)).texts == ("Blue.",)
    assert await made(bench, "my-other").capabilities() == able
    with pytest.raises(PluginError, match="offered twice"):
        Host(extra=[ScriptedPlugin(vllm=answer)])


async def test_a_function_in_a_file_beside_the_recipe(bench: Workbench) -> None:
    script = bench.base / "answers.py"
    script.write_text("def say(request):\n    return 'I am ' + request.model\n")
    backend = made(bench, model="answers.py:say")
    assert (await backend.chat(REQUEST, 1.0)).texts == ("I am m",)
    assert made(bench, script="answers.py:say").identity == backend.identity
    assert made(bench, base_url="answers.py:say").identity == backend.identity
    assert str(bench.base) not in backend.identity
    script.write_text("def say(request):\n    return 'changed'\n")
    assert made(bench, model="answers.py:say").identity != backend.identity


async def test_a_function_of_a_module(bench: Workbench) -> None:
    assert (await made(bench, model="builtins:repr").chat(REQUEST, 1.0)).texts == (repr(REQUEST),)


async def test_lines_are_chosen_by_what_is_asked(bench: Workbench) -> None:
    lines = [
        {"text": "one", "contains": "Colour?", "once": True},
        {"text": "teach", "model": "teacher"},
        {"text": "{}", "schema_name": "Draft"},
        {"text": "cut", "contains": "Be brief", "finish_reason": "length"},
    ]
    (bench.base / "s.jsonl").write_bytes(b"\n\n".join(map(orjson.dumps, lines)))
    backend = made(bench, script="s.jsonl")
    drafted = REQUEST.model_copy(update={"json_schema": JsonSchemaSpec(name="Draft", body={})})
    taught = REQUEST.model_copy(update={"model": "teacher"})
    assert (await backend.chat(REQUEST, 1.0)).texts == ("one",)
    assert (await backend.chat(taught, 1.0)).texts == ("teach",)
    assert (await backend.chat(drafted, 1.0)).texts == ("{}",)
    for _ in range(2):
        reply = await backend.chat(REQUEST, 1.0)
        assert (reply.texts, reply.finish_reasons) == (("cut",), ("length",))
    other = REQUEST.model_copy(update={"messages": ({"role": "user", "content": "Anything else?"},)})
    with pytest.raises(EndpointError, match="Anything else"):
        await backend.chat(other, 1.0)


@pytest.mark.parametrize(
    ("model", "content", "words"),
    [
        ("nothing", "", "no script"),
        ("gone.jsonl", None, "not there"),
        ("gone.py:f", None, "not there"),
        ("s.jsonl", '{"text": 5}', "s.jsonl:1: text"),
        ("s.jsonl", '{"text": "a"}\n{"txt": "a"}', "s.jsonl:2"),
        ("s.jsonl", "{", "no JSON"),
        ("s.py:f", "def g(): ...", "no function 'f'"),
        ("s.py:f", "import no_such_module_at_all", "can't be imported"),
        ("no_such_module_at_all:f", None, "can't be imported"),
    ],
)
def test_mistakes_of_a_script(bench: Workbench, model: str, content: str | None, words: str) -> None:
    if content is not None:
        (bench.base / model.split(":")[0]).write_text(content)
    with pytest.raises(RecipeError, match=words):
        made(bench, model=model)


async def test_replay_answers_out_of_a_ledger(bench: Workbench) -> None:
    asked = REQUEST.model_copy(update={"temperature": 0.0})
    reply = ChatReply(texts=("Blue.",), finish_reasons=("stop",), usage=Usage(calls=1))
    pieces = pieces_of(asked, LogicalModel("vllm", "qwen", "gpu"), DRAW)
    ledger = await Ledger.open(bench.base / "ledger.sqlite")
    await ledger.put(entry_of(pieces, reply, run="r", created=0.0, seconds=0.0))
    await ledger.close()
    backend = made(bench, "replay", model="vllm/qwen", base_url="ledger.sqlite")
    assert backend.identity == "gpu"
    assert await backend.chat(asked, 1.0) == reply
    with pytest.raises(EndpointError, match="no answer to request"):
        await backend.chat(asked.model_copy(update={"max_tokens": 5}), 1.0)
    await backend.close()
    await backend.close()
    with pytest.raises(EndpointError, match="no answer of 'vllm/other'"):
        made(bench, "replay", model="vllm/other", cassette="ledger.sqlite")


def test_replay_without_a_cassette(bench: Workbench) -> None:
    with pytest.raises(RecipeError, match="no cassette"):
        made(bench, "replay", model="vllm/qwen")
    with pytest.raises(SourceError, match="gone"):
        made(bench, "replay", model="vllm/qwen", cassette="gone.sqlite")
