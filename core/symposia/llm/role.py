"""A model seated in a role: from a question to an answer that is stored, valid and on the record."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.contracts import Answer, Ask, ChatRequest, JsonSchemaSpec, Schema, UnusableAnswerError
from symposia.errors import RequestError
from symposia.llm.client import Client
from symposia.llm.keys import Draw, sampling_seed
from symposia.llm.structured import Climb, Said, climb, problem
from symposia.llm.text import clean_text
from symposia.records import Message, RoleSpec, Turn

__all__ = ["SeatedRole"]

_SCHEMAS = 64


class SeatedRole:
    """A model in a role; implements `symposia.contracts.RoleModel`.

    Args:
        role: Name of the role.
        spec: How it is asked.
        client: The model.
        run_seed: The run's seed; part of every draw.
        identity: Name of the weights or endpoint.
    """

    def __init__(self, role: str, spec: RoleSpec, client: Client, run_seed: int, identity: str) -> None:
        self._role = role
        self._spec = spec
        self._client = client
        self._run_seed = run_seed
        self._identity = identity
        self._schemas: dict[int, tuple[Schema, JsonSchemaSpec]] = {}

    @property
    def role(self) -> str:
        """Name of the role."""
        return self._role

    @property
    def model(self) -> str:
        """Logical name of the model, ``<backend>/<model>``; in a replay that of the recorded one."""
        return self._client.model.name

    @property
    def identity(self) -> str:
        """Name of the weights or endpoint; two roles with the same one share weights."""
        return self._identity

    async def ask(self, ask: Ask) -> Answer:
        """Put a question.

        Raises:
            UnusableAnswerError: A schema was asked for and no rung of the ladder gave a valid answer, or the reply
                was empty or cut off.
            RequestError: The request itself can't be answered.
            EndpointError: No request can be answered; the run must stop.
            CapExceededError: A cap leaves no room for the request.
            UsageError: The question needs something that the backend does not have.
        """

        async def send(messages: Sequence[Message], schema: Schema | None, attempt: int) -> Said:
            return await self._send(ask, messages, schema, attempt)

        if ask.schema is None:
            said = await send(ask.messages, None, 0)
            cause, error = problem(said.reply)
            got = Climb(said, None, None, said.keys, (), said.reply.usage, cause, error)
        else:
            got = await climb(ask, ask.schema, send)
        turn = self._turn(ask, got)
        if got.cause:
            raise UnusableAnswerError(f"{self._role} ({self.model}): {got.error}", turn, got.cause)
        return Answer(turn, turn.text, got.value, got.used, got.said.reply)

    async def _send(self, ask: Ask, messages: Sequence[Message], schema: Schema | None, attempt: int) -> Said:
        spec = self._spec
        temperature = spec.temperature if ask.temperature is None else ask.temperature
        draw = Draw(self._run_seed, ask.task, self._role, ask.kind, ask.round, attempt, ask.index)
        request = ChatRequest(
            model=self._client.model.model,
            messages=tuple({"role": m["role"], "content": clean_text(m["content"])} for m in messages),
            temperature=temperature,
            top_p=spec.top_p,
            max_tokens=spec.max_tokens,
            n=ask.n,
            seed=sampling_seed(draw.canonical(temperature)),
            json_schema=self._schema(schema) if schema is not None else None,
            top_logprobs=ask.top_logprobs,
            options=spec.options,
        )
        said = await self._client.chat(request, draw, spec.timeout_s)
        if said.reply.finish_reasons[0] == "content_filter":
            raise RequestError(f"{self._role} ({self.model}): the answer was filtered", "content_filter")
        return said

    def _schema(self, schema: Schema) -> JsonSchemaSpec:
        """The schema as it is sent; made once, because checking it costs more than all else in a request."""
        known = self._schemas.get(id(schema))
        if known is None:
            if len(self._schemas) >= _SCHEMAS:
                self._schemas.clear()
            known = self._schemas[id(schema)] = (schema, JsonSchemaSpec(name=schema.name, body=schema.body))
        return known[1]

    def _turn(self, ask: Ask, got: Climb) -> Turn:
        reply = got.said.reply
        return Turn(
            round=ask.round,
            role=self._role,
            kind=ask.kind,
            model=self.model,
            text=reply.texts[0],
            value=got.value,
            finish_reason=reply.finish_reasons[0],
            keys=got.keys,
            repairs=got.steps,
            usage=got.usage,
        )
