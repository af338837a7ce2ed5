"""A llama.cpp server inside this process: one for each file of weights, shared by all roles that use it."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from symposia.errors import EndpointError
from symposia.models import digest

__all__ = ["LlamaServer", "ServerPlan", "lease", "weights_digest"]

_MAGIC = b"GGUF"
_SILENT = -1
_HTTP_THREADS = 64
"""More than slots: each open connection holds a thread, an idle one too."""


@dataclass(frozen=True)
class ServerPlan:
    """What a server is started with.

    Attributes:
        weights: The GGUF file.
        slots: Requests at once; each has a context of its own.
        context: Tokens of one slot's context, prompt and reply together.
        threads: CPU threads.
    """

    weights: Path
    slots: int
    context: int
    threads: int


class LlamaServer:
    """A server that starts when it is first needed and stops when nobody holds it any more.

    Args:
        plan: What it is started with.
    """

    def __init__(self, plan: ServerPlan) -> None:
        self.plan = plan
        # Other users of this machine can reach the loopback address too.
        self.key = secrets.token_hex(16)
        self.holders = 0
        self._lock = threading.Lock()
        self._server: Any = None

    def start(self) -> str:
        """Start if that was not done yet, and give the address; blocks until the weights are loaded.

        Raises:
            EndpointError: The file is no GGUF file, or llama.cpp can't load it.
        """
        with self._lock:
            if self._server is None:
                self._server = self._started()
            return str(self._server.listening_address)

    def stop(self) -> None:
        """Stop and free the memory; blocks until that is done."""
        with self._lock:
            self._server = None

    def _started(self) -> Any:
        plan = self.plan
        _check_file(plan.weights)
        xllamacpp = _library()
        params = xllamacpp.CommonParams()
        params.model.path = str(plan.weights)
        # Answers name the model by its alias; else they would show where the file lies.
        params.model_alias = {plan.weights.name}
        params.n_parallel = plan.slots
        params.n_ctx = plan.slots * plan.context
        params.cpuparams.n_threads = plan.threads
        params.cpuparams_batch.n_threads = plan.threads
        # Threads that wait by spinning bring a machine with other work to a crawl.
        params.cpuparams.poll = params.cpuparams_batch.poll = 0
        params.n_threads_http = _HTTP_THREADS
        params.api_keys = [self.key]
        params.verbosity = _SILENT
        params.ui = False
        try:
            return xllamacpp.Server(params)
        except RuntimeError as exc:
            raise EndpointError(
                f"llama.cpp can't load {plan.weights.name} with {plan.slots} slots of {plan.context} tokens: {exc}",
                "the file may be damaged or of an architecture that is too new, or memory may not suffice",
            ) from exc


def _library() -> Any:
    """Import xllamacpp.

    Raises:
        EndpointError: It, or the OpenMP library that it stands on, is not there.
    """
    try:
        import xllamacpp
    except ImportError as exc:
        raise EndpointError(
            f"llama.cpp can't be loaded: {exc}",
            "pip install 'symposia[local]'; where libgomp.so.1 is missing, install it: apt-get install libgomp1",
        ) from exc
    return xllamacpp


_servers: dict[tuple[Path, int, int], LlamaServer] = {}
_servers_lock = threading.Lock()


def lease(plan: ServerPlan) -> LlamaServer:
    """The server for a plan, counted as held once more; give it back with `release`.

    A server that runs already is taken as it is, even if the plan asks for another number of slots.
    """
    slot = (plan.weights, plan.context, plan.threads)
    with _servers_lock:
        server = _servers.get(slot)
        if server is None:
            server = _servers[slot] = LlamaServer(plan)
        server.holders += 1
        return server


def release(server: LlamaServer) -> None:
    """Give a server back; the last one to do so stops it. Blocks until it has stopped."""
    with _servers_lock:
        server.holders -= 1
        if server.holders:
            return
        _servers.pop((server.plan.weights, server.plan.context, server.plan.threads), None)
    server.stop()


def weights_digest(path: Path) -> str:
    """SHA-256 of the weights, computed once for each state of the file.

    Raises:
        EndpointError: The file can't be read.
    """
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as exc:
        raise EndpointError(f"the weights {path} can't be read: {exc.strerror}") from exc


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    return digest(path)


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as exc:
        raise EndpointError(f"the weights {path} can't be read: {exc.strerror}") from exc
    if magic != _MAGIC:
        raise EndpointError(f"{path} is no GGUF file", "convert the model with llama.cpp, or name another file")


def cores() -> int:
    """CPU cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
