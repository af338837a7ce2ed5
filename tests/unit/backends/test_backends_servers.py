"""The backends for OpenAI-compatible servers and for vLLM."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from symposia.contracts import Backend, Capabilities, ChatRequest
from symposia.errors import EndpointError, RecipeError, SymposiaError
from symposia.host import Host, Workbench
from symposia.testing import MockOpenAI, MockReply
from symposia.testing.conformance.backend import check_backend

REQUEST = ChatRequest(model="m", messages=({"role": "user", "content": "Hello."},))


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(Host(block={"symposia-haiku"}), tmp_path)


def made(bench: Workbench, name: str, model: str = "m", **params: Any) -> Backend:
    backend: Backend = bench.build("backend", name, {"model": model, **params})
    return backend


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("name", ["vllm", "openai-compatible"])
async def test_conformance(bench: Workbench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT_KEY", "sk-right-123456")
    monkeypatch.setenv("WRONG_KEY", "sk-wrong-123456")
    async with MockOpenAI(models=("m",), key="sk-right-123456", max_model_len=2048) as mock:
        url = mock.base_url
        await check_backend(
            lambda: made(bench, name, base_url=url, api_key_env="RIGHT_KEY"),
            model="m",
            wrong_key=lambda: made(bench, name, base_url=url, api_key_env="WRONG_KEY"),
            unknown_model=lambda: made(bench, name, "no-such-model", base_url=url, api_key_env="RIGHT_KEY"),
            unreachable=lambda: made(bench, name, base_url=f"http://127.0.0.1:{free_port()}/v1"),
            secret="sk-wrong-123456",
        )


async def test_conformance_of_everything_that_can_be_declared(bench: Workbench) -> None:
    async with MockOpenAI(models=("m",)) as mock:
        declared: dict[str, Any] = {"n": True, "logprobs": True, "complete": True, "embed": True}
        await check_backend(lambda: made(bench, "openai-compatible", base_url=mock.base_url, **declared), model="m")


async def test_vllm_is_asked_what_it_is_able_to_do(bench: Workbench) -> None:
    async with MockOpenAI(models=("m",), max_model_len=777) as mock:
        backend = made(bench, "vllm", base_url=mock.base_url)
        assert await backend.capabilities() == Capabilities(
            json_schema=True,
            n=True,
            seed=True,
            logprobs=True,
            complete=True,
            embed=True,
            tokenize=True,
            score=True,
            context_tokens=777,
        )
        assert mock.requests == 0, "looking up sends no chat request"
        await backend.close()


async def test_a_vllm_that_hides_its_routes_has_none_to_offer(bench: Workbench) -> None:
    async with MockOpenAI(models=("m",), pages=("/v1/models",)) as mock:
        backend = made(bench, "vllm", base_url=mock.base_url)
        able = await backend.capabilities()
        assert able.json_schema
        assert not (able.complete or able.embed or able.tokenize or able.score)
        await backend.close()


async def test_a_server_with_chat_alone_is_enough(bench: Workbench) -> None:
    async with MockOpenAI(pages=()) as mock:
        for name in ("vllm", "openai-compatible"):
            backend = made(bench, name, base_url=mock.base_url)
            assert (await backend.capabilities()).context_tokens is None
            assert (await backend.chat(REQUEST, 5.0)).texts[0]
            await backend.close()


async def test_vllm_without_the_model_says_so_before_the_first_request(bench: Workbench) -> None:
    async with MockOpenAI(models=("qwen-8b", "other")) as mock:
        backend = made(bench, "vllm", "qwen-8", base_url=mock.base_url)
        with pytest.raises(EndpointError, match="no model 'qwen-8'") as caught:
            await backend.capabilities()
        assert "qwen-8b" in caught.value.hint
        await backend.close()


async def test_a_wrong_key_shows_when_capabilities_are_looked_up(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-wrong-987654")
    async with MockOpenAI(key="sk-right-987654") as mock:
        for name in ("vllm", "openai-compatible"):
            backend = made(bench, name, base_url=mock.base_url, api_key_env="SOME_KEY")
            with pytest.raises(EndpointError, match="401") as caught:
                await backend.capabilities()
            assert "SOME_KEY" in caught.value.hint
            assert "sk-wrong-987654" not in str(caught.value)
            await backend.close()


def test_identity_is_the_host_and_endpoint_the_address_and_key_slot(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K1", "sk-1-abcdef")
    one = made(bench, "openai-compatible", base_url="http://gpu:8000/v1", api_key_env="K1")
    two = made(bench, "openai-compatible", base_url="http://gpu:9000/other/v1")
    assert one.identity == two.identity == "gpu"
    assert one.endpoint == "http://gpu:8000/v1#K1"
    assert two.endpoint == "http://gpu:9000/other/v1"
    assert made(bench, "vllm").endpoint == "http://localhost:8000/v1"
    assert made(bench, "vllm").identity == "localhost"


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("openai-compatible", {}, "no base_url"),
        ("openai-compatible", {"base_url": "localhost:8000"}, "no address"),
        ("vllm", {"base_url": "x"}, "no address"),
        ("vllm", {"api_key_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
        ("vllm", {"frobnicate": 1}, "frobnicate"),
    ],
)
def test_mistakes_of_a_recipe(bench: Workbench, name: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        made(bench, name, **params)


async def test_what_a_backend_does_not_have_names_those_that_do(bench: Workbench) -> None:
    async with MockOpenAI() as mock:
        backend = bench.build("backend", "openai-compatible", {"model": "m", "base_url": mock.base_url})
        with pytest.raises(SymposiaError, match="no `embed`") as caught:
            await backend.embed(["a"], 5.0)
        assert "litellm" in caught.value.hint
        await backend.close()


async def test_an_embedding_route_that_does_not_work_is_not_announced(bench: Workbench) -> None:
    refuse = MockReply(400, {"error": {"message": "The model does not support Embeddings API"}})
    async with MockOpenAI(models=("m",), embeddings=refuse) as mock:
        backend = made(bench, "vllm", base_url=mock.base_url)
        assert not (await backend.capabilities()).embed
        await backend.close()
