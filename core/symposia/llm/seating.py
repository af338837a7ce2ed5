"""Who sits where: models are built once, and share limits, budget and ledger."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import cast

from symposia.contracts import Backend, RoleModel
from symposia.errors import BackendError, boundary
from symposia.host import Workbench
from symposia.llm.budget import Budget
from symposia.llm.cassette import ReplayBackend
from symposia.llm.client import Books, Client
from symposia.llm.keys import LogicalModel
from symposia.llm.ledger import Ledger
from symposia.llm.limits import Lane, Patience
from symposia.llm.role import SeatedRole
from symposia.llm.tally import Pulse
from symposia.records import JsonObject, RoleSpec, canonical_json

__all__ = ["Seating"]

_DIGEST = "sha256:"
_YOUNG = 20_000
"""Objects after which Python looks for garbage, instead of 700. A run has thousands of them in flight; the
collector takes those for long-lived and searches the whole heap again and again: a sixth of all processor time."""


class Seating:
    """Seats models in roles.

    Args:
        bench: Builds backends.
        ledger: Where answers are kept.
        run: The run that pays.
        run_seed: The run's seed; part of every draw.
        in_flight: Most requests on the wire to one endpoint.
        budget: What the run may spend.
        frozen: The roles as they were when the run first started. Where only the address of a role's model has
            changed since, its answers are still those of the model at the first address.
        patience: How long requests are tried again.
    """

    def __init__(
        self,
        bench: Workbench,
        ledger: Ledger,
        *,
        run: str,
        run_seed: int,
        in_flight: int,
        budget: Budget,
        frozen: Mapping[str, RoleSpec] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._bench = bench
        self._run_seed = run_seed
        self._in_flight = in_flight
        self._frozen = frozen or {}
        self._patience = patience or Patience()
        self._books = Books(ledger, run, budget)
        self._backends: dict[tuple[str, str, str | None, str | None, bytes], Backend] = {}
        self._clients: dict[tuple[int, LogicalModel], Client] = {}
        self._lanes: dict[str, Lane] = {}
        self._lock = asyncio.Lock()
        self._collector: tuple[int, int, int] | None = None

    async def seat(self, role: str, spec: RoleSpec) -> RoleModel:
        """Seat a model in a role. Nothing is sent yet.

        Raises:
            PluginError: There is no such backend, or it can't be built.
            RecipeError: The backend can't be built from the role's settings.
            EndpointError: It can't serve the model, for example because its weights are not there.
            StoreError: The ledger can't be read.
        """
        async with self._lock:
            if self._collector is None:
                self._books.budget.start(await self._books.ledger.paid(self._books.run))
                self._collector = gc.get_threshold()
                gc.set_threshold(max(_YOUNG, self._collector[0]), *self._collector[1:])
            backend = self._backend(spec)
            model = await self._logical(role, spec, backend)
            client = self._clients.get((id(backend), model))
            if client is None:
                client = self._clients[id(backend), model] = self._client(backend, model)
        return SeatedRole(role, spec, client, self._run_seed, _weights(model))

    def pulse(self) -> Pulse:
        """What the models are doing right now."""
        lanes, books = self._lanes.values(), self._books
        return Pulse(
            in_flight=sum(lane.on_wire for lane in lanes),
            waiting=sum(lane.waiting for lane in lanes),
            paused_s=max((lane.paused_s for lane in lanes), default=0.0),
            answered=books.tally.answered,
            hits=books.tally.hits,
            usage=books.tally.usage,
            paid=books.budget.paid,
        )

    async def close(self) -> None:
        """Close all backends; may be called twice. The ledger stays open: it is not the seating's."""
        if self._collector is not None:
            gc.set_threshold(*self._collector)
            self._collector = None
        for client in self._clients.values():
            await client.close()
        for lane in self._lanes.values():
            lane.close()
        backends = list(self._backends.values())
        self._backends.clear()
        self._clients.clear()
        failed = [exc for backend in backends if (exc := await _closed(backend)) is not None]
        if failed:
            raise failed[0]

    def _backend(self, spec: RoleSpec) -> Backend:
        more = canonical_json(spec.backend_params)
        slot = (spec.backend, spec.model_name, spec.base_url, spec.api_key_env, more)
        backend = self._backends.get(slot)
        if backend is None:
            backend = self._backends[slot] = self._build(spec)
        return backend

    def _build(self, spec: RoleSpec) -> Backend:
        params: JsonObject = {
            **spec.backend_params,
            "model": spec.model_name,
            "base_url": spec.base_url,
            "api_key_env": spec.api_key_env,
            "parallel": self._in_flight,
        }
        return cast(Backend, self._bench.build("backend", spec.backend, params))

    async def _logical(self, role: str, spec: RoleSpec, backend: Backend) -> LogicalModel:
        if isinstance(backend, ReplayBackend):
            return backend.logical
        first = self._frozen.get(role)
        if first is None or first.model != spec.model or first.base_url == spec.base_url:
            return LogicalModel.of(spec.backend, spec.model_name, backend.identity)
        # Built only to be asked for its name: a backend opens nothing before its first request.
        before = self._build(first)
        identity = before.identity
        await _closed(before)
        return LogicalModel.of(spec.backend, spec.model_name, identity)

    def _client(self, backend: Backend, model: LogicalModel) -> Client:
        lane = self._lanes.get(backend.endpoint)
        if lane is None:
            lane = self._lanes[backend.endpoint] = Lane(backend.endpoint, self._in_flight)
        cassette = backend.cassette if isinstance(backend, ReplayBackend) else None
        return Client(backend, model, lane, self._books, self._patience, cassette)


def _weights(model: LogicalModel) -> str:
    """Name of the weights: their digest where it is known, else the model's name where it is served."""
    return model.identity if model.identity.startswith(_DIGEST) else f"{model.model}@{model.identity}"


async def _closed(backend: Backend) -> Exception | None:
    """Close a backend; give what went wrong, so that the others are closed too."""
    try:
        with boundary(BackendError, "a backend could not be closed"):
            await backend.close()
    except BackendError as exc:
        return exc
    return None
