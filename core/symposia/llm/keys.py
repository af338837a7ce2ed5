"""The key of a request: what is asked, of which logical model, in which draw.

The key is made from the request *as it is asked*, before it is fitted to what the backend is able to do. So it
stays the same when a server learns to constrain its decoding, and a cassette is read without knowing the server.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson

from symposia.contracts import ChatRequest
from symposia.records import JsonObject, JsonValue

__all__ = ["UNDRAWN", "Draw", "LogicalModel", "Pieces", "pieces_of", "sampling_seed"]

UNDRAWN = "0"
"""The draw of every request at temperature 0: equal requests share one answer."""

_FORM = b"symposia-request-1"
_PORT = re.compile(r"(?<=[\w\].-]):\d{1,5}$")
_NOT_CONTENT = re.compile(
    r"api[_-]?key|secret|passw|credential|authorization|^(extra[_-])?headers$|^token$"
    r"|^(aws|azure|hf|access|auth|bearer)[_-].*token$|^(api|base)[_-](base|url)$|^(host|port|replica|route)$"
    r"|^timeout|^user$",
    re.IGNORECASE,
)
"""Names of options that carry a credential, an address or a clock, and so are no part of what is asked."""


@dataclass(frozen=True, slots=True)
class LogicalModel:
    """Who is asked, whatever machine it runs on.

    Attributes:
        backend: Name of the backend.
        model: Name of the model at the backend.
        identity: What the answers depend on beside the request: weights digest or configured host.
    """

    backend: str
    model: str
    identity: str

    @classmethod
    def of(cls, backend: str, model: str, identity: str) -> LogicalModel:
        """The logical model; an address as identity loses its port, its user and its query."""
        if "://" in identity:
            parts = urlsplit(identity)
            identity = f"{parts.hostname or ''}{parts.path.rstrip('/')}"
        return cls(backend, model, _PORT.sub("", identity))

    @property
    def name(self) -> str:
        """``<backend>/<model>``."""
        return f"{self.backend}/{self.model}"


class Draw(NamedTuple):
    """Which of many possible answers is meant, at a temperature above 0.

    Attributes:
        run_seed: The run's seed.
        task: Task number.
        role: Role that is asked.
        kind: What the turn is for.
        round: Round of the negotiation.
        attempt: Rung of the repair ladder.
        number: Tells questions of the same role, kind and round apart.
        choice: Which reply of several that are asked for one by one.
    """

    run_seed: int
    task: int
    role: str
    kind: str
    round: int
    attempt: int
    number: int
    choice: int = 0

    def of_choice(self, choice: int) -> Draw:
        """The draw of one of several replies."""
        return self._replace(choice=choice)

    def canonical(self, temperature: float) -> str:
        """The draw's JSON form; `UNDRAWN` at temperature 0."""
        if temperature == 0:
            return UNDRAWN
        parts: JsonObject = {
            "attempt": self.attempt,
            "index": self.number,
            "kind": self.kind,
            "role": self.role,
            "round": self.round,
            "run_seed": self.run_seed,
            "task": self.task,
        }
        if self.choice:
            parts["choice"] = self.choice
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()


class Pieces(NamedTuple):
    """A key and what it was made of, each in its canonical JSON form.

    Attributes:
        key: SHA-256 of the rest, 64 hexadecimal digits.
        model: Who is asked.
        messages: The prompt.
        messages_hash: SHA-256 of the prompt.
        frame: Everything else that is asked: sampling, schema, tools.
        draw: The draw.
    """

    key: str
    model: LogicalModel
    messages: str
    messages_hash: str
    frame: str
    draw: str

    def to(self, model: LogicalModel) -> Pieces:
        """The same request to another model."""
        key = _key(self.messages_hash, self.frame, model, self.draw)
        return self._replace(key=key, model=model)


def pieces_of(request: ChatRequest, model: LogicalModel, draw: Draw) -> Pieces:
    """The key of a request and its pieces.

    The request's model name and seed are not read: the first is the logical model's, the second follows from the
    draw. Options that hold a credential or an address are left out.
    """
    messages = orjson.dumps(request.messages, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(messages).hexdigest()
    frame = _frame(request)
    drawn = draw.canonical(request.temperature)
    return Pieces(_key(digest, frame, model, drawn), model, messages.decode(), digest, frame, drawn)


def sampling_seed(draw: str) -> int | None:
    """A sampling seed of 31 bits that is a function of the draw; None where nothing is drawn."""
    if draw == UNDRAWN:
        return None
    return int.from_bytes(hashlib.sha256(draw.encode()).digest()[:4], "big") >> 1


def _key(messages_hash: str, frame: str, model: LogicalModel, draw: str) -> str:
    who = orjson.dumps([model.backend, model.model, model.identity])
    parts = (_FORM, messages_hash.encode(), frame.encode(), who, draw.encode())
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _frame(request: ChatRequest) -> str:
    frame: dict[str, object] = {
        "max_tokens": request.max_tokens,
        "n": request.n,
        "temperature": float(request.temperature),
    }
    # Absent settings are left out, so that a new one does not change the keys of old requests.
    if request.top_p is not None:
        frame["top_p"] = float(request.top_p)
    if request.stop:
        frame["stop"] = request.stop
    if request.json_schema is not None:
        frame["schema"] = {"name": request.json_schema.name, "body": request.json_schema.body}
    if request.tools:
        frame["tools"] = request.tools
    if request.top_logprobs is not None:
        frame["top_logprobs"] = request.top_logprobs
    if request.options:
        options = _content(request.options)
        if options:
            frame["options"] = options
    return orjson.dumps(frame, option=orjson.OPT_SORT_KEYS).decode()


def _content(options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {
        name: _content(value) if isinstance(value, dict) else value
        for name, value in options.items()
        if not _NOT_CONTENT.search(name)
    }
