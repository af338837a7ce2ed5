"""What an OpenAI-compatible server's refusal means: ask again, stop the run, or give up this one request."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from symposia.errors import BackendError, EndpointError, RateLimitedError, RequestError, TransientError

__all__ = ["Refusal", "error_in", "read_refusal", "retry_after", "sort_refusal"]

_QUOTED = 600
"""Most characters of a server's message that are shown."""

_OVERFLOW = re.compile(
    r"context[ _](length|size|window)|context_length_exceeded|exceed_context_size|maximum model length"
    r"|prompt is too long|too many tokens|max_model_len|reduce the length",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[ _-]?(filter|policy|management)|moderation|responsible_?ai|flagged|safety[ _]system", re.IGNORECASE
)
_NO_MONEY = "insufficient_quota"


class Refusal:
    """What a server said instead of an answer.

    Attributes:
        status: HTTP status.
        message: The server's words.
        marks: Code, type and words together, in which markers are looked for.
        retry_after_s: Seconds it asked to wait, where it did.
    """

    __slots__ = ("marks", "message", "retry_after_s", "status")

    def __init__(self, status: int, message: str, marks: str, retry_after_s: float | None = None) -> None:
        self.status = status
        self.message = message
        self.marks = marks
        self.retry_after_s = retry_after_s


def read_refusal(status: int, headers: Mapping[str, str], data: bytes) -> Refusal:
    """Read a refusal from an answer's status, headers and body, whatever the body is."""
    try:
        body: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        said = error.get("message") or error.get("detail") or error.get("error")
        words = said if isinstance(said, str) else orjson.dumps(error).decode()
        marks = f"{error.get('code')} {error.get('type')} {words}"
    else:
        words = marks = error if isinstance(error, str) else _plain(data)
    return Refusal(status, words[:_QUOTED], marks, retry_after(headers))


def error_in(data: bytes) -> int | None:
    """The status of an error that came with HTTP 200, as some routers send it; None when there is none."""
    if b'"error"' not in data[:2000]:
        return None
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or body.get("choices") or not body.get("error"):
        return None
    code = body["error"].get("code") if isinstance(body["error"], dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def sort_refusal(refusal: Refusal, where: str, key_env: str | None) -> BackendError:
    """The error to raise for a refusal; 404 is told apart by the caller, who can list the models.

    Args:
        refusal: What the server said.
        where: The endpoint, for the message.
        key_env: Name of the variable that holds the key, for the hint.
    """
    status, said = refusal.status, f"{where} answered {refusal.status}: {refusal.message}"
    if status in (400, 403, 413, 422):
        cause = _cause(refusal)
        if cause is not None:
            return RequestError(said, cause=cause)
    if status in (401, 403):
        hint = f"check the key in {key_env}" if key_env else "name the variable that holds the key in api_key_env"
        return EndpointError(said, hint)
    if status == 402 or (status == 429 and _NO_MONEY in refusal.marks):
        return EndpointError(said, "the account has no credit left; nothing is lost, run again when it has")
    if status == 429:
        return RateLimitedError(said, refusal.retry_after_s)
    if status in (408, 409, 425) or (status >= 500 and status != 501):
        return TransientError(said)
    return EndpointError(said, "the server does not take this request; check the role's model and options")


def _cause(refusal: Refusal) -> str | None:
    if _OVERFLOW.search(refusal.marks):
        return "context_overflow"
    if _FILTERED.search(refusal.marks):
        return "content_filter"
    return "too_large" if refusal.status == 413 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds in ``Retry-After`` (seconds or a date) or ``retry-after-ms``; None when there are none to read."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("Retry-After")
        if value is None:
            return None
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _plain(data: bytes) -> str:
    """A body that is no JSON, as a line of text; of a web page only its words."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", data[:20_000].decode(errors="replace"), flags=re.S)
    return " ".join(text.split()) or "no reason given"
