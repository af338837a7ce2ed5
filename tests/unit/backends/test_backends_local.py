"""The local backend without a model: where weights are looked for, and who starts and stops a server."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from symposia import models
from symposia.contracts import Backend
from symposia.errors import EndpointError, RecipeError
from symposia.host import Host, Workbench
from symposia_plugins.backends import llama_server
from symposia_plugins.backends.llama_server import LlamaServer, ServerPlan, lease, release, weights_digest
from symposia_plugins.backends.local import Local, build
from symposia_plugins.backends.params import LocalParams


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYMPOSIA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return path


class FakeLlama:
    """Stands in for xllamacpp: counts what runs."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.running = 0
        fake = self

        class Server:
            listening_address = "http://127.0.0.1:1"

            def __init__(self, params: Any) -> None:
                fake.started.append(params)
                fake.running += 1

            def __del__(self) -> None:
                fake.running -= 1

        self.Server = Server

    def CommonParams(self) -> Any:
        return SimpleNamespace(
            model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
        )


@pytest.fixture
def llama(monkeypatch: pytest.MonkeyPatch) -> FakeLlama:
    fake = FakeLlama()
    monkeypatch.setitem(sys.modules, "xllamacpp", fake)
    return fake


def made(base: Path, model: str, **params: Any) -> Local:
    return build(LocalParams(model=model, **params), Workbench(Host(), base))


@pytest.mark.parametrize(
    ("model", "words", "hint"),
    [
        ("smollm2", "not on this machine", "symposia models pull smollm2"),
        ("smolm2", "no local model", "smollm2"),
        ("gone.gguf", "no file", "GGUF"),
    ],
)
def test_weights_that_are_not_there(tmp_path: Path, model: str, words: str, hint: str) -> None:
    with pytest.raises(EndpointError, match=words) as caught:
        made(tmp_path, model)
    assert hint in caught.value.hint


def test_weights_are_found_in_the_cache_and_beside_the_recipe(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "find", lambda name: weights)
    assert made(tmp_path, "smollm2").identity == made(tmp_path, "model.gguf").identity
    assert made(tmp_path, str(weights)).endpoint == "local:model.gguf"


def test_identity_is_the_digest_and_follows_the_file(tmp_path: Path, weights: Path) -> None:
    backend = made(tmp_path, "model.gguf")
    first = backend.identity
    assert first == f"sha256:{models.digest(weights)}"
    weights.write_bytes(b"GGUF" + bytes(101))
    assert backend.identity != first
    weights.unlink()
    with pytest.raises(EndpointError, match="can't be read"):
        weights_digest(weights)


def test_slots_follow_what_is_asked_up_to_a_limit(tmp_path: Path, weights: Path) -> None:
    assert made(tmp_path, "model.gguf", parallel=200)._plan.slots == LocalParams(model="m").slots
    assert made(tmp_path, "model.gguf", parallel=2)._plan.slots == 2
    assert made(tmp_path, "model.gguf", parallel=200, slots=20, threads=3)._plan.slots == 20


def test_parameters_are_checked(tmp_path: Path) -> None:
    bench = Workbench(Host(), tmp_path)
    for params in ({"context": 1}, {"slots": 0}, {"frobnicate": 1}):
        with pytest.raises(RecipeError):
            bench.build("backend", "local", {"model": "smollm2", **params})


def test_nothing_runs_before_it_is_needed(tmp_path: Path, weights: Path, llama: FakeLlama) -> None:
    backend: Backend = made(tmp_path, "model.gguf")
    assert backend.identity
    assert backend.endpoint
    asyncio.run(backend.close())
    assert not llama.started


def test_a_server_is_shared_and_stopped_by_the_last(weights: Path, llama: FakeLlama) -> None:
    plan = ServerPlan(weights, slots=4, context=512, threads=1)
    one, two = lease(plan), lease(ServerPlan(weights, slots=2, context=512, threads=1))
    assert one is two
    assert one.start() == two.start() == "http://127.0.0.1:1"
    assert len(llama.started) == 1
    params = llama.started[0]
    assert (params.n_parallel, params.n_ctx, params.cpuparams.n_threads) == (4, 2048, 1)
    assert params.api_keys == [one.key]
    assert params.model_alias == {"model.gguf"}
    release(one)
    assert llama.running == 1
    release(two)
    assert llama.running == 0
    assert not llama_server._servers
    assert lease(plan) is not one
    release(next(iter(llama_server._servers.values())))


def test_starts_at_once_start_one_server(weights: Path, llama: FakeLlama) -> None:
    server = LlamaServer(ServerPlan(weights, slots=1, context=512, threads=1))
    threads = [threading.Thread(target=server.start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(llama.started) == 1
    server.stop()


async def test_a_start_that_fails_holds_nothing(tmp_path: Path, llama: FakeLlama) -> None:
    (tmp_path / "text.gguf").write_text("I am no model.")
    backend = made(tmp_path, "text.gguf")
    with pytest.raises(EndpointError, match="no GGUF file"):
        await backend.capabilities()
    await backend.close()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert not llama_server._servers
