"""The litellm backend, with the real library against a mock server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from symposia.contracts import Backend, ChatRequest, JsonSchemaSpec
from symposia.errors import (
    BackendError,
    EndpointError,
    PluginError,
    RateLimitedError,
    RecipeError,
    RequestError,
    TransientError,
    UnreachableError,
)
from symposia.host import Host, Workbench
from symposia.records import JsonValue
from symposia.testing import MockOpenAI, MockReply
from symposia.testing.conformance.backend import check_backend

pytestmark = [
    pytest.mark.skipif(find_spec("litellm") is None, reason="litellm is not installed"),
    # When a request is called off, litellm loses a coroutine that it had not started yet.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MODEL = "hosted_vllm/m"
REQUEST = ChatRequest(model=MODEL, messages=({"role": "user", "content": "Hello."},))


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(Host(), tmp_path)


def made(bench: Workbench, model: str = MODEL, base_url: str | None = None, key: str | None = None) -> Backend:
    backend: Backend = bench.build("backend", "litellm", {"model": model, "base_url": base_url, "api_key_env": key})
    return backend


def free_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


async def test_conformance(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT_KEY", "sk-right-222222")
    monkeypatch.setenv("WRONG_KEY", "sk-wrong-222222")
    async with MockOpenAI(models=("m",), key="sk-right-222222") as mock:
        url = mock.base_url
        await check_backend(
            lambda: made(bench, base_url=url, key="RIGHT_KEY"),
            model=MODEL,
            wrong_key=lambda: made(bench, base_url=url, key="WRONG_KEY"),
            unknown_model=lambda: made(bench, "hosted_vllm/no-such-model", url, "RIGHT_KEY"),
            unreachable=lambda: made(bench, base_url=free_url()),
            secret="sk-wrong-222222",
        )


async def refusal(bench: Workbench, reply: MockReply) -> BackendError:
    async with MockOpenAI(lambda _: reply) as mock:
        backend = made(bench, base_url=mock.base_url)
        with pytest.raises(BackendError) as caught:
            await backend.chat(REQUEST, 5.0)
        await backend.close()
        assert mock.requests == 1, "one attempt a call"
        return caught.value


@pytest.mark.parametrize(
    ("status", "message", "kind", "cause"),
    [
        (400, "This model's maximum context length is 8 tokens", RequestError, "context_overflow"),
        (400, "blocked by content_policy_violation", RequestError, "content_filter"),
        (400, "unknown field", EndpointError, None),
        (401, "no", EndpointError, None),
        (404, "no model", EndpointError, None),
        (408, "late", TransientError, None),
        (500, "oops", TransientError, None),
        (503, "busy", TransientError, None),
    ],
)
async def test_errors_are_sorted(
    bench: Workbench, status: int, message: str, kind: type[BackendError], cause: str | None
) -> None:
    said = await refusal(bench, MockReply(status, {"error": {"message": message, "code": None}}))
    assert type(said) is kind, repr(said)
    assert getattr(said, "cause", None) == cause


async def test_a_rate_limit_carries_its_pause(bench: Workbench) -> None:
    said = await refusal(bench, MockReply(429, {"error": {"message": "slow"}}, {"Retry-After": "3"}))
    assert isinstance(said, RateLimitedError)
    assert said.retry_after_s == 3.0


@pytest.mark.parametrize("body", [b"", b'{"choices": [{"mess', b"<html></html>", b"{}", b'{"choices": []}'])
async def test_nonsense_is_an_error(bench: Workbench, body: bytes) -> None:
    assert isinstance(await refusal(bench, MockReply(200, body)), TransientError)


async def test_a_missed_deadline_has_a_timeout_as_its_cause(bench: Workbench) -> None:
    async with MockOpenAI(latency_s=30.0) as mock:
        backend = made(bench, base_url=mock.base_url)
        with pytest.raises(TransientError) as caught:
            await backend.chat(REQUEST, 0.3)
        assert isinstance(caught.value.__cause__, TimeoutError)
        await backend.close()


async def test_no_connection_is_told_apart(bench: Workbench) -> None:
    backend = made(bench, base_url=free_url())
    with pytest.raises(UnreachableError):
        await backend.chat(REQUEST, 5.0)
    await backend.close()


async def test_settings_go_through_and_none_is_dropped(bench: Workbench) -> None:
    async with MockOpenAI() as mock:
        backend = made(bench, base_url=mock.base_url)
        schema: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}
        await backend.chat(
            REQUEST.model_copy(
                update={
                    "seed": 5,
                    "stop": ("x",),
                    "top_p": 0.5,
                    "json_schema": JsonSchemaSpec(name="S", body=schema),
                    "options": {"min_p": 0.1},
                }
            ),
            5.0,
        )
        body = mock.bodies[0]
        assert body["model"] == "m"
        assert (body["seed"], body["stop"], body["top_p"], body["min_p"]) == (5, ["x"], 0.5, 0.1)
        form = body["response_format"]
        assert isinstance(form, dict)
        assert form["json_schema"] == {"name": "S", "schema": schema}
        await backend.close()


async def test_nothing_is_cached(bench: Workbench) -> None:
    async with MockOpenAI() as mock:
        backend = made(bench, base_url=mock.base_url)
        for _ in range(3):
            await backend.chat(REQUEST, 5.0)
        assert mock.requests == 3
        await backend.close()


async def test_a_price_is_looked_up_or_unknown(bench: Workbench) -> None:
    async with MockOpenAI() as mock:
        unknown = made(bench, base_url=mock.base_url)
        assert (await unknown.chat(REQUEST, 5.0)).usage.cost_usd is None
        known = made(bench, "openai/gpt-4o-mini", mock.base_url)
        reply = await known.chat(REQUEST.model_copy(update={"model": "openai/gpt-4o-mini"}), 5.0)
        assert reply.usage.cost_usd is not None
        assert reply.usage.cost_usd > 0
        await known.close()


async def test_capabilities_come_from_the_tables(bench: Workbench) -> None:
    claude = await made(bench, "anthropic/claude-sonnet-4-5").capabilities()
    assert claude.json_schema
    assert claude.tools
    assert not claude.n
    assert not claude.seed
    assert claude.context_tokens == 200_000
    local = await made(bench, base_url="http://h/v1").capabilities()
    assert local.json_schema
    assert local.context_tokens is None


async def test_an_option_may_not_say_what_the_request_says(bench: Workbench) -> None:
    backend = made(bench, base_url="http://h/v1")
    with pytest.raises(EndpointError, match="messages"):
        await backend.chat(REQUEST.model_copy(update={"options": {"messages": []}}), 5.0)


async def test_the_openai_key_is_not_sent_to_another_address(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-account")
    async with MockOpenAI(key="sk-of-the-account") as mock:
        backend = made(bench, "openai/m", mock.base_url)
        with pytest.raises(EndpointError, match="401"):
            await backend.chat(REQUEST.model_copy(update={"model": "openai/m"}), 5.0)
        await backend.close()


def test_identity_is_the_host_or_the_provider(bench: Workbench) -> None:
    assert made(bench, base_url="http://gpu:8000/v1").identity == "gpu"
    assert made(bench, "anthropic/claude-sonnet-4-5").identity == "anthropic"
    assert "anthropic" in made(bench, "anthropic/claude-sonnet-4-5").endpoint


def test_a_model_without_a_provider_is_a_mistake_of_the_recipe(bench: Workbench) -> None:
    with pytest.raises(RecipeError, match="no provider"):
        made(bench, "no-such-thing")


def test_a_key_that_is_not_set_is_a_mistake_of_the_recipe(bench: Workbench) -> None:
    with pytest.raises(RecipeError, match="NO_SUCH_VARIABLE"):
        made(bench, key="NO_SUCH_VARIABLE")


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_releases_that_steal_are_refused(bench: Workbench, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "litellm" else real(name))
    with pytest.raises(PluginError, match="malicious"):
        made(bench)


def test_the_import_is_quiet_and_asks_nobody() -> None:
    """No page is fetched, no `.env` is read, nothing is printed."""
    code = """
import socket, sys
def refuse(*a, **k): raise AssertionError("a connection")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from symposia_plugins.backends.litellm_backend import _load
library = _load()
assert library.cache is None and library.drop_params is False and library.suppress_debug_info
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=dict(os.environ), check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
