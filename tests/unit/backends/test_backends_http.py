"""The HTTP client: one attempt, and every failure sorted."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.contracts import ChatRequest
from symposia.errors import (
    BackendError,
    EndpointError,
    RateLimitedError,
    RecipeError,
    RequestError,
    TransientError,
    UnreachableError,
)
from symposia.records import JsonValue
from symposia.testing import Faults, MockOpenAI, MockReply
from symposia_plugins.backends import openai_http
from symposia_plugins.backends.openai_errors import Refusal, retry_after, sort_refusal
from symposia_plugins.backends.openai_http import OpenAIClient, check_url, host_of
from symposia_plugins.backends.openai_wire import chat_body, parse_chat

REQUEST = ChatRequest(model="m", messages=({"role": "user", "content": "Hello."},))


async def ask(client: OpenAIClient, timeout_s: float = 5.0) -> str:
    data = await client.post("chat/completions", chat_body(REQUEST), timeout_s, "m")
    return parse_chat(data, REQUEST).texts[0]


async def refusal(reply: MockReply, key: str | None = None) -> BackendError:
    """What the client makes of an answer."""
    async with MockOpenAI(lambda _: reply) as mock:
        client = OpenAIClient(mock.base_url, key, "THE_KEY" if key else None)
        try:
            with pytest.raises(BackendError) as caught:
                await ask(client)
            return caught.value
        finally:
            await client.close()


def error(message: str, code: JsonValue = None) -> JsonValue:
    return {"error": {"message": message, "code": code, "type": "t"}}


Stream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(answer: bytes, *, linger: bool = False) -> AsyncIterator[str]:
    """A server that gives the same bytes to everybody, and hangs up or waits."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        try:
            await writer.drain()
            if linger:
                await done.wait()
        except OSError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        done.set()
        server.close()
        await server.wait_closed()


async def raw_failure(answer: bytes, *, linger: bool = False, timeout_s: float = 5.0) -> BackendError:
    async with raw_server(answer, linger=linger) as base_url:
        client = OpenAIClient(base_url)
        try:
            with pytest.raises(BackendError) as caught:
                await ask(client, timeout_s)
            return caught.value
        finally:
            await client.close()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_names_the_variable_and_never_the_key(status: int) -> None:
    said = await refusal(MockReply(status, error("bad key sk-very-secret-1 given")), key="sk-very-secret-1")
    assert isinstance(said, EndpointError)
    assert "THE_KEY" in said.hint
    assert "sk-very-secret-1" not in str(said)
    assert "sk-very-secret-1" not in repr(said)


async def test_a_missing_key_says_where_to_name_one() -> None:
    async with MockOpenAI(key="right") as mock:
        client = OpenAIClient(mock.base_url)
        with pytest.raises(EndpointError, match="api_key_env"):
            await ask(client)
        await client.close()


async def test_an_unknown_model_names_the_near_ones() -> None:
    async with MockOpenAI(models=("mm", "other")) as mock:
        client = OpenAIClient(mock.base_url)
        with pytest.raises(EndpointError, match="no model 'm'") as caught:
            await ask(client)
        assert "mm" in caught.value.hint
        await client.close()


async def test_a_wrong_path_is_not_an_unknown_model() -> None:
    async with MockOpenAI() as mock:
        client = OpenAIClient(mock.base_url.removesuffix("/v1") + "/v2")
        with pytest.raises(EndpointError, match="404") as caught:
            await ask(client)
        assert "/v1" in caught.value.hint
        await client.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (400, error("This model's maximum context length is 8 tokens"), RequestError, "context_overflow"),
        (400, error("x", "context_length_exceeded"), RequestError, "context_overflow"),
        (400, error("request (9 tokens) exceeds the available context size"), RequestError, "context_overflow"),
        (400, error("x", "content_filter"), RequestError, "content_filter"),
        (403, error("input was flagged by moderation"), RequestError, "content_filter"),
        (413, error("body too big"), RequestError, "too_large"),
        (400, error("unknown field `frobnicate`"), EndpointError, None),
        (422, {"detail": "unprocessable"}, EndpointError, None),
        (402, error("pay first"), EndpointError, None),
        (429, error("you ran out", "insufficient_quota"), EndpointError, None),
        (429, error("plan and billing: 10 requests a minute"), RateLimitedError, None),
        (408, None, TransientError, None),
        (500, b"<html><body>oops</body></html>", TransientError, None),
        (502, b"Bad Gateway", TransientError, None),
        (503, b"\xff\xfe", TransientError, None),
        (501, error("not supported"), EndpointError, None),
        (200, error("upstream is overloaded", 529), TransientError, None),
        (200, error("too long: context length", 400), RequestError, "context_overflow"),
        (200, {"error": "no"}, TransientError, None),
        (302, None, EndpointError, None),
    ],
)
async def test_refusals_are_sorted(
    status: int, body: JsonValue | bytes, kind: type[BackendError], cause: str | None
) -> None:
    said = await refusal(MockReply(status, body))
    assert type(said) is kind
    assert getattr(said, "cause", None) == cause


async def test_a_configuration_mistake_quotes_the_server() -> None:
    said = await refusal(MockReply(400, error("unknown field `frobnicate`")))
    assert "frobnicate" in said.message
    assert "options" in said.hint


async def test_retry_after_is_read_as_seconds_milliseconds_and_date() -> None:
    for headers, seconds in (
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({}, None),
        ({"Retry-After": "soon"}, None),
    ):
        said = await refusal(MockReply(429, error("slow down"), headers))
        assert isinstance(said, RateLimitedError)
        assert said.retry_after_s == seconds
    said = await refusal(MockReply(429, error("slow down"), {"Retry-After": formatdate(time.time() + 60)}))
    assert isinstance(said, RateLimitedError)
    assert said.retry_after_s is not None
    assert 50 < said.retry_after_s <= 60


def test_a_date_that_has_passed_means_now() -> None:
    assert retry_after({"Retry-After": formatdate(0)}) == 0.0


@given(st.text(max_size=40))
def test_no_retry_after_header_breaks_the_reader(value: str) -> None:
    seconds = retry_after({"Retry-After": value})
    assert seconds is None or seconds >= 0


@given(st.integers(400, 599), st.text(max_size=200))
def test_every_refusal_is_a_backend_error(status: int, words: str) -> None:
    said = sort_refusal(Refusal(status, words, words), "http://h/v1", None)
    assert isinstance(said, BackendError)
    assert words in said.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", TransientError),
        (b'{"choices": [{"mess', TransientError),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', TransientError),
        (b"<!DOCTYPE html><html>Welcome</html>", EndpointError),
        (b"[]", TransientError),
        (b"null", TransientError),
        (b"{}", TransientError),
        (b'{"choices": []}', TransientError),
        (b'{"choices": [1]}', TransientError),
        (b'{"choices": [{}]}', TransientError),
        (b'{"choices": [{"message": {"content": 5}}]}', TransientError),
        (b'{"choices": [{"message": {"content": [1]}}]}', TransientError),
        (b'{"choices": [{"finish_reason": "content_filter", "message": {"content": ""}}]}', RequestError),
        (b'{"choices": [{"finish_reason": "error", "message": {"content": "half"}}]}', TransientError),
    ],
)
async def test_a_body_that_is_no_answer(body: bytes, kind: type[BackendError]) -> None:
    said = await refusal(MockReply(200, body))
    assert type(said) is kind


async def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = OpenAIClient(f"http://127.0.0.1:{free.getsockname()[1]}/v1")
        with pytest.raises(UnreachableError, match="can't be reached") as caught:
            await ask(client)
        assert not isinstance(caught.value.__cause__, TimeoutError)
    await client.close()


async def test_an_unknown_host_is_unreachable() -> None:
    client = OpenAIClient("http://no-such-host.invalid/v1")
    with pytest.raises(UnreachableError):
        await ask(client)
    await client.close()


async def test_a_missed_deadline_has_a_timeout_as_its_cause() -> None:
    said = await raw_failure(b"", linger=True, timeout_s=0.2)
    assert type(said) is TransientError
    assert isinstance(said.__cause__, TimeoutError)
    assert "0.2 s" in said.message


async def test_the_deadline_holds_until_the_last_byte() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    said = await raw_failure(head + b'{"choices"', linger=True, timeout_s=0.2)
    assert isinstance(said.__cause__, TimeoutError)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"I am no HTTP server\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
async def test_a_connection_that_breaks_is_worth_another_attempt(answer: bytes) -> None:
    said = await raw_failure(answer)
    assert type(said) is TransientError
    assert said.__cause__ is None


async def test_a_huge_body_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_http, "MAX_BODY", 1 << 20)
    said = await refusal(MockReply(200, b"x" * (2 << 20)))
    assert "more than 1 MB" in said.message


async def test_a_compressed_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_http, "MAX_BODY", 1 << 20)
    packed = gzip.compress(b" " * (8 << 20))
    said = await refusal(MockReply(200, packed, {"Content-Encoding": "gzip"}))
    assert isinstance(said, TransientError)


async def test_an_answer_of_some_megabytes_is_read_whole() -> None:
    text = "a" * (3 << 20)
    async with MockOpenAI(lambda _: text) as mock:
        client = OpenAIClient(mock.base_url)
        assert await ask(client) == text
        await client.close()


async def test_a_large_prompt_is_sent_without_a_warning() -> None:
    prompt = "word " * 500_000
    request = ChatRequest(model="m", messages=({"role": "user", "content": prompt},))
    async with MockOpenAI(lambda body: str(len(str(body["messages"]))), max_model_len=10**7) as mock:
        client = OpenAIClient(mock.base_url)
        data = await client.post("chat/completions", chat_body(request), 20.0, "m")
        assert int(parse_chat(data, request).texts[0]) > len(prompt)
        await client.close()


@pytest.mark.parametrize("fault", ["rate_limited", "server_error", "dropped", "truncated", "garbage"])
async def test_faults_of_a_server_are_worth_another_attempt(fault: str) -> None:
    async with MockOpenAI(faults=Faults(**{fault: 1.0})) as mock:
        client = OpenAIClient(mock.base_url)
        with pytest.raises(TransientError):
            await ask(client)
        await client.close()


async def test_two_hundred_requests_are_two_hundred_connections() -> None:
    async with MockOpenAI(latency_s=0.3, jitter=0.0) as mock:
        client = OpenAIClient(mock.base_url)
        texts = await asyncio.gather(*(ask(client) for _ in range(200)))
        assert len(set(texts)) == 1
        assert mock.max_in_flight == 200
        await client.close()


async def test_a_cancelled_request_leaves_the_client_usable() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_: object) -> str:
        reached.set()
        await go_on.wait()
        return "Paris."

    async with MockOpenAI(answer) as mock:
        client = OpenAIClient(mock.base_url)
        task = asyncio.create_task(ask(client))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await ask(client) == "Paris."
        await client.close()
        await client.close()


def test_a_client_outlives_an_event_loop() -> None:
    async def once(client: OpenAIClient) -> str:
        async with MockOpenAI() as mock:
            client._base = check_url(mock.base_url)
            client._urls.clear()
            return await ask(client)

    client = OpenAIClient("http://localhost/v1")
    assert asyncio.run(once(client)) == asyncio.run(once(client))
    asyncio.run(client.close())


async def test_a_key_goes_to_its_server_and_nowhere_else() -> None:
    seen = []

    def answer(_: object) -> MockReply:
        seen.append("asked")
        return MockReply(307, None, {"Location": "http://127.0.0.1:1/steal"})

    async with MockOpenAI(answer, key="sk-12345678") as mock:
        client = OpenAIClient(mock.base_url, "sk-12345678", "K")
        with pytest.raises(EndpointError, match="another address"):
            await ask(client)
        await client.close()
    assert seen == ["asked"]


async def test_proxies_of_the_environment_are_used_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with MockOpenAI() as mock, MockOpenAI(lambda _: "by the proxy") as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        straight = OpenAIClient(mock.base_url)
        assert await ask(straight) != "by the proxy"
        through = OpenAIClient("http://far-away.invalid/v1", proxy=True)
        assert await ask(through) == "by the proxy"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        spared = OpenAIClient(mock.base_url, proxy=True)
        assert await ask(spared) != "by the proxy"
        for client in (straight, through, spared):
            await client.close()


@pytest.mark.parametrize("url", ["localhost:8000", "", "ftp://h/v1", "http://", "/v1", "http://[::1"])
def test_what_is_no_address_is_said_so(url: str) -> None:
    with pytest.raises(RecipeError, match="no address"):
        OpenAIClient(url)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(RecipeError) as caught:
        OpenAIClient("https://me:hunter22@host/v1")
    assert "hunter22" not in str(caught.value)


def test_a_key_with_a_line_break_is_refused_and_not_shown() -> None:
    with pytest.raises(RecipeError, match="MY_KEY") as caught:
        OpenAIClient("http://h/v1", "sk-\nabc", "MY_KEY")
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8000/v1", "localhost"),
        ("http://localhost:9000/other/v1", "localhost"),
        ("http://[::1]:8000/v1", "localhost"),
        ("https://API.Example.com/v1", "api.example.com"),
        ("https://api.example.com.:444/v1", "api.example.com"),
    ],
)
def test_a_host_is_the_same_whatever_port_and_path(url: str, host: str) -> None:
    assert host_of(check_url(url)) == host


async def test_a_query_in_the_address_goes_with_every_request() -> None:
    async with MockOpenAI() as mock:
        client = OpenAIClient(mock.base_url + "?api-version=2")
        assert str(client._place("chat/completions")).endswith("/v1/chat/completions?api-version=2")
        assert client.endpoint == mock.base_url
        assert await ask(client)
        await client.close()


def test_a_page_above_v1_is_found_behind_a_prefix_too() -> None:
    assert str(OpenAIClient("http://h/gate/v1/")._place("/version")) == "http://h/gate/version"
    assert str(OpenAIClient("http://h:8000/v1")._place("/version")) == "http://h:8000/version"
