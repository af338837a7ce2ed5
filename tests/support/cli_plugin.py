"""A third-party plugin for tests of the command line: a graph that asks one model, and a model that is a function.

It is found as other people's plugins are: through an entry point (`install_plugin` writes one).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.engine import FakeGraph
from symposia.contracts import Ask, Capabilities, ChatReply, ChatRequest, NegotiateContext
from symposia.errors import EndpointError, RequestError
from symposia.hookspecs import hookimpl
from symposia.offers import BackendParams, Offer, Params
from symposia.records import Draft, Message, Negotiation, SourceRow, Ticket, Usage


class TalkParams(Params):
    """Parameters of the graph ``talk``.

    Attributes:
        park: Whether every good sample waits for a person.
    """

    park: bool = False


class TalkGraph(FakeGraph):
    """Asks the teacher once; every third draft is bad."""

    async def negotiate(self, ticket: Ticket, context: NegotiateContext) -> Negotiation:
        number = ticket.task.number
        messages: list[Message] = [{"role": "user", "content": f"task {number} about {ticket.task.seed}"}]
        try:
            answer = await context.roles["teacher"].ask(Ask(number, 0, "propose", messages))
        except RequestError:
            return self._negotiation(replace_seed(ticket, "failed"))
        draft = Draft(round=0, author="teacher", payload={"text": answer.text})
        context.on_turn(number, answer.turn, draft)
        negotiation = self._negotiation(replace_seed(ticket, answer.text))
        return negotiation.model_copy(update={"ticket": ticket, "turns": (answer.turn,), "graph": "talk"})


def replace_seed(ticket: Ticket, text: str) -> Ticket:
    task = ticket.task.model_copy(update={"seed": {"text": text}})
    return ticket.model_copy(update={"task": task})


class Parrot:
    """Says ``draft of task N``; the model's name tells how it misbehaves."""

    identity = "parrot"
    endpoint = "parrot"

    def __init__(self, params: BackendParams) -> None:
        self._model = params.model

    async def capabilities(self) -> Capabilities:
        if self._model == "gone":
            raise EndpointError("parrot: nobody is there", "start the parrot")
        return Capabilities(seed=True, n=True)

    async def chat(self, request: ChatRequest, timeout_s: float) -> ChatReply:
        number = int(request.messages[-1]["content"].split()[1])
        if self._model == "gone":
            raise EndpointError("parrot: nobody is there", "start the parrot")
        if self._model == "slow":
            await asyncio.sleep(0.15)
        if self._model == "failing" and number % 2:
            raise RequestError("too long", "context_overflow")
        kind = "bad " if number % 3 == 2 else ""
        text = f"{kind}draft of task {number} \x1b[31m[bold]red[/bold]"
        usage = Usage(
            calls=1, prompt_tokens=20, completion_tokens=10, cost_usd=None if self._model == "free" else 0.01
        )
        return ChatReply(texts=(text,) * request.n, finish_reasons=("stop",) * request.n, usage=usage)

    async def close(self) -> None:
        return None


class CountParams(Params):
    """How many rows there are."""

    rows: int = 5


class CountSource:
    """Rows that hold their number."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def digest(self) -> str:
        return f"count {self._rows}"

    def rows(self) -> Iterator[SourceRow]:
        for number in range(self._rows):
            yield SourceRow(id=f"row#{number}", fields={"number": number})


def build_graph(params: TalkParams, bench: Any) -> TalkGraph:
    return TalkGraph(draft=lambda ticket: str(ticket.task.seed["text"]), park=lambda _: params.park, name="talk")


@hookimpl
def register_graphs() -> list[Offer[Any]]:
    return [Offer("talk", build_graph, "One question to one model.", TalkParams)]


@hookimpl
def register_backends() -> list[Offer[Any]]:
    return [Offer("parrot", lambda params, bench: Parrot(params), "A function.", BackendParams)]


@hookimpl
def register_sources() -> list[Offer[Any]]:
    return [Offer("count", lambda params, bench: CountSource(params.rows), "Numbers.", CountParams)]


@hookimpl
def register_verifiers() -> list[Offer[Any]]:
    def build(params: Params, bench: Any) -> Any:
        raise AssertionError("needs what is not installed")

    return [Offer("heavy", build, "Needs a library.", extra="heavy", requires=("no_such_library",))]


@hookimpl
def register_commands(cli: Any) -> None:
    @cli.command()  # type: ignore[untyped-decorator]
    def greet(name: str = "you") -> None:
        """Say hello."""
        print(f"hello {name}")

    @cli.command("ls")  # type: ignore[untyped-decorator]
    def taken() -> None:
        """Try to take the name of a verb of Symposia's."""


RECIPE = """\
name: talk
graph: talk
samples: 4
source: count
roles:
  teacher: {model: parrot/quick}
novelty: null
limits: {in_flight: 2}
"""


def install_plugin(folder: Path, module: str = "support.cli_plugin", version: str = "1.2") -> Path:
    """Write the metadata of an installed distribution; put ``folder`` on the path to have it found."""
    info = folder / f"symposia_talk-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: symposia-talk\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[symposia]\ntalk = {module}\n")
    return folder
