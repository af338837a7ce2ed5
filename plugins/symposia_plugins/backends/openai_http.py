"""One thin client for servers that speak OpenAI's HTTP: one attempt a call, and every failure sorted.

It is thin because it runs for every request of every run: one session, bodies made once, answers read by hand.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from yarl import URL

from symposia.errors import (
    BackendError,
    EndpointError,
    RecipeError,
    TransientError,
    UnreachableError,
    did_you_mean,
)
from symposia.secrets import redact
from symposia_plugins.backends.openai_errors import error_in, read_refusal, sort_refusal

__all__ = ["MAX_BODY", "OpenAIClient", "check_url", "host_of"]

MAX_BODY = 64 << 20
"""Most bytes of an answer that are read; more is no answer to anything a run asks."""

CONNECT_TIMEOUT_S = 10.0

_KEEPALIVE_S = 4.0
"""Idle connections are closed before the server does it: uvicorn waits 5 s, and a request sent into a connection
that is just being closed is lost."""

_LARGE = 1 << 20
_SHORTEST_KEY = 4
_LOOPBACK = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})


def check_url(base_url: str) -> URL:
    """The address of a server, checked.

    Raises:
        RecipeError: It is none, or it holds a user name or password.
    """
    try:
        url = URL(base_url)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise RecipeError(
            f"base_url '{redact(base_url)}' is no address", "write it like http://localhost:8000/v1, up to /v1"
        )
    if url.user or url.password:
        raise RecipeError(
            f"base_url for {url.host} holds a user name or password",
            "put the key into a variable and name it in api_key_env",
        )
    return url


def host_of(url: URL) -> str:
    """The host without port and path; every name of this machine is ``localhost``."""
    host = (url.host or "").lower().rstrip(".")
    return "localhost" if host in _LOOPBACK else host


class OpenAIClient:
    """Speaks to one server.

    Args:
        base_url: Address, up to and with ``/v1``.
        key: The key, sent as a bearer token and never shown.
        key_env: Name of the variable that holds it, for hints.
        name: What errors call the server; its address where there is none.
        proxy: Go through the proxy that the environment names.
        connections: Most connections at once; 0 for as many as there are requests.

    Raises:
        RecipeError: The address is none, or the key can't be one.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        key_env: str | None = None,
        name: str | None = None,
        *,
        proxy: bool = False,
        connections: int = 0,
    ) -> None:
        self.url = check_url(base_url)
        self._key = _checked_key(key, key_env)
        self._key_env = key_env
        self._base = self.url.with_query(None).with_fragment(None)
        self._query = self.url.query_string
        self._name = name or str(self._base)
        self._proxy = proxy
        self._connections = connections
        self._urls: dict[str, URL] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def endpoint(self) -> str:
        """Name or address, and key slot, without the key."""
        return f"{self._name}#{self._key_env}" if self._key_env else self._name

    async def post(self, path: str, body: bytes, timeout_s: float, model: str = "") -> bytes:
        """Send a JSON body and give the body of the answer.

        Args:
            path: Below the base URL; with a leading ``/`` below what stands before its ``/v1``.
            body: JSON.
            timeout_s: Deadline from connecting to the last byte.
            model: Name of the model asked for, to explain a 404.

        Raises:
            UnreachableError: There was no connection.
            RateLimitedError: The server asked for a pause.
            TransientError: The answer did not come, or not whole, or not in time (then its cause is a
                `TimeoutError`), or the server failed.
            RequestError: The server can't answer this request.
            EndpointError: The server can't serve requests like this.
        """
        # aiohttp warns when it copies a large body into the socket at once.
        data = body if len(body) < _LARGE else io.BytesIO(body)
        return await self._send("POST", path, data, timeout_s, model)

    async def get(self, path: str, timeout_s: float) -> bytes:
        """Get the body of a page; raises as `post` does."""
        return await self._send("GET", path, None, timeout_s, "")

    async def models(self, timeout_s: float) -> list[dict[str, object]] | None:
        """What ``/models`` lists; None where the server has no such list.

        Raises:
            BackendError: As `post` does, but not for a list that is missing or of another form.
        """
        try:
            listed = orjson.loads(await self.get("models", timeout_s))["data"]
            return [one for one in listed if isinstance(one["id"], str)]
        except _NoSuchPageError:
            return None
        except (ValueError, TypeError, KeyError):
            return None

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -- one attempt ----------------------------------------------------------------------------------------

    async def _send(
        self, method: str, path: str, data: bytes | io.BytesIO | None, timeout_s: float, model: str
    ) -> bytes:
        timeout = self._timeouts.get(timeout_s)
        if timeout is None:
            timeout = self._timeout(timeout_s)
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = self._place(path)
        session = self._session
        if session is None or self._loop is not asyncio.get_running_loop():
            session = await self._open()
        try:
            async with session.request(method, url, data=data, timeout=timeout, allow_redirects=False) as response:
                content = await self._read(response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise self._broken(exc, timeout_s) from _deadline(exc)
        if status == 200:
            hidden = error_in(content)
            if hidden is None:
                return content
            status = hidden
        raise await self._refused(status, headers, content, path, model)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole body; most come in one piece."""
        parts = []
        size = 0
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > MAX_BODY:
                raise TransientError(f"{self._name} sent more than {MAX_BODY >> 20} MB in one answer")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is not None and self._loop is not None and not self._loop.is_closed():
            raise EndpointError(f"the client of {self._name} is used in two event loops at once")
        # What an ended loop left behind can't be awaited any more.
        await self.close()
        headers = {"Content-Type": "application/json", "User-Agent": "symposia"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=_KEEPALIVE_S, ttl_dns_cache=300
            ),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy_url() if self._proxy else None,
        )
        self._loop = asyncio.get_running_loop()
        return self._session

    def _proxy_url(self) -> str | None:
        """The environment's proxy for this server; aiohttp's own way would read `.netrc` as well."""
        if proxy_bypass(self.url.host or ""):
            return None
        return getproxies().get(self.url.scheme)

    def _place(self, path: str) -> URL:
        base = self._base
        if path.startswith("/") and base.path.rstrip("/").endswith("/v1"):
            base = base.with_path(base.path.rstrip("/").removesuffix("/v1"))
        url = base / path.lstrip("/")
        return url.with_query(self._query) if self._query else url

    def _timeout(self, timeout_s: float) -> aiohttp.ClientTimeout:
        connect = min(CONNECT_TIMEOUT_S, timeout_s)
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect)
        if len(self._timeouts) < 64:
            self._timeouts[timeout_s] = timeout
        return timeout

    # -- what went wrong ------------------------------------------------------------------------------------

    def _broken(self, exc: Exception, timeout_s: float) -> BackendError:
        """The error for a connection that did not come about or broke."""
        words = self._clean(f"{type(exc).__name__}: {exc}")
        if isinstance(exc, aiohttp.ConnectionTimeoutError):
            return UnreachableError(f"{self._name} does not take a connection within {CONNECT_TIMEOUT_S:.0f} s")
        if isinstance(exc, aiohttp.ClientConnectorDNSError):
            return UnreachableError(f"{self._name}: there is no host of this name ({words})")
        if isinstance(exc, aiohttp.ClientConnectorError):
            return UnreachableError(f"{self._name} can't be reached: {words}")
        if isinstance(exc, TimeoutError):
            return TransientError(f"{self._name} gave no answer within {timeout_s:g} s")
        return TransientError(f"{self._name} broke the connection off: {words}")

    async def _refused(
        self, status: int, headers: Mapping[str, str], content: bytes, path: str, model: str
    ) -> BackendError:
        """The error for an answer that is not 200."""
        if 300 <= status < 400:
            return EndpointError(
                f"{self._name} answered {status}: it wants to be asked at another address",
                "put that address into base_url; the key is not sent to wherever a server points",
            )
        refusal = read_refusal(status, headers, content)
        refusal.message = self._clean(refusal.message)
        if status in (404, 405):
            if not model:
                return _NoSuchPageError(f"{self._name} ({path}) answered {status}: {refusal.message}")
            return await self._not_there(refusal.message, path, model)
        return sort_refusal(refusal, self._name, self._key_env)

    async def _not_there(self, said: str, path: str, model: str) -> EndpointError:
        try:
            listed = await self.models(CONNECT_TIMEOUT_S)
        except BackendError:
            listed = None
        names = [str(one["id"]) for one in listed or ()]
        if names and model not in names:
            return EndpointError(f"{self._name} has no model '{model}'", did_you_mean(model, names))
        return EndpointError(
            f"{self._name} ({path}) answered 404: {said}",
            "check base_url: it should end where /chat/completions begins, mostly with /v1",
        )

    def _clean(self, text: str) -> str:
        """The text without the key, in case a server repeats it."""
        if self._key and len(self._key) >= _SHORTEST_KEY:
            text = text.replace(self._key, "***")
        return redact(text)


def _checked_key(key: str | None, key_env: str | None) -> str | None:
    key = key.strip() if key else None
    if key and not (key.isascii() and key.isprintable()):
        raise RecipeError(
            f"the key in {key_env} holds characters that no key has", "copy it anew, without quotes and line breaks"
        )
    return key


class _NoSuchPageError(EndpointError):
    """The server has no page at this path."""


def _deadline(exc: Exception) -> Exception | None:
    """The cause to name: whoever waits tells a missed deadline by it; other causes are in the message."""
    missed = isinstance(exc, TimeoutError) and not isinstance(exc, aiohttp.ConnectionTimeoutError)
    return exc if missed else None
