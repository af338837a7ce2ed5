"""kill -9 at random moments, run the same command again: nothing stored is asked twice, the dataset is the same."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.endpoint import prompt_digest
from symposia.llm.keys import sampling_seed

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
WINDOW = 48
KILLS = 10
RECIPE = """
name: unbroken
graph: qa
samples: 60
source: {{use: documents, path: "{document}", tokens: 120, overlap: 20}}
roles:
  teacher: {{model: vllm/mock, base_url: "http://127.0.0.1:{port}/v1", temperature: 0.9}}
constitution: helpful-short
personas: everyday
verifiers: [schema, {{use: length, min_words: 5}}, refusal, leak, grounded]
negotiation: {{max_rounds: 2}}
novelty: {{use: exact, threshold: 0.92, retries: 1}}
limits: {{in_flight: {in_flight}, window: {window}, max_candidates: 2000}}
"""


@contextlib.contextmanager
def endpoint(log: Path, latency_s: float, seed: int) -> Iterator[int]:
    """A fresh server process on a port of its own; its latencies are drawn from ``seed``."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "support.endpoint", str(log), str(latency_s), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def start(folder: Path, port: int, in_flight: int) -> subprocess.Popen[bytes]:
    """The same command each time; only the address differs, which is no content."""
    document = ROOT / "graphs/symposia_graphs/documents/lighthouses.md"
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(port=port, document=document, in_flight=in_flight, window=WINDOW))
    command = [str(Path(sys.executable).parent / "symposia"), "run", "recipe.yaml", "--runs", "runs", "--quiet"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def wait_for_a_request(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the run is under way, so that kills fall into the work and not into the start of the interpreter."""
    while not log.exists() or log.stat().st_size == 0:
        assert process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.005)


def finish(process: subprocess.Popen[bytes]) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output.decode()
    return output.decode()


def dataset(folder: Path) -> bytes:
    files = sorted((folder / "runs").glob("*/dataset.jsonl"))
    assert len(files) == 1
    return files[0].read_bytes()


def asked(log: Path) -> Counter[tuple[str, int | None]]:
    return Counter(tuple(json.loads(line)) for line in log.read_text().splitlines()) if log.exists() else Counter()


def stored(folder: Path) -> set[tuple[str, int | None]]:
    """What the ledger holds, as the server sees it: digest of the prompt and sampling seed."""
    path = folder / "runs" / "ledger.sqlite"
    if not path.exists():
        return set()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT messages, draw FROM entries").fetchall()
        except sqlite3.OperationalError:  # killed before the tables were made
            return set()
    return {(prompt_digest(json.loads(messages)), sampling_seed(draw)) for messages, draw in rows}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("unbroken")
    with endpoint(folder / "asked.log", 0.01, 1) as port:
        finish(start(folder, port, 16))
    found = dataset(folder)
    assert len(found.splitlines()) == 60
    return found


def fates(folder: Path) -> Counter[str]:
    store = next((folder / "runs").glob("*/run.sqlite"))
    with contextlib.closing(sqlite3.connect(store)) as connection:
        return Counter(dict(connection.execute("SELECT cause, COUNT(*) FROM tasks GROUP BY cause").fetchall()))


def test_ten_kills_lose_nothing_and_change_nothing(tmp_path: Path, unbroken: bytes) -> None:
    chance = random.Random(7)
    kept: set[tuple[str, int | None]] = set()
    kills = 0
    for attempt in range(40):
        log = tmp_path / f"asked-{attempt}.log"
        with endpoint(log, 0.3 if kills < KILLS else 0.02, attempt) as port:
            process = start(tmp_path, port, 16)
            if kills < KILLS:
                wait_for_a_request(log, process)
                time.sleep(chance.uniform(0.0, 0.6))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    kills += 1
            output, _ = process.communicate(timeout=300)
        again = kept & set(asked(log))
        assert again == set(), f"{len(again)} stored answers were asked for again"
        kept = stored(tmp_path)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, output.decode()
    assert kills == KILLS
    assert dataset(tmp_path) == unbroken
    causes = fates(tmp_path)
    assert causes["near_duplicate"] > 0
    assert causes["grounded:quote_not_found"] > 0


@pytest.mark.parametrize("in_flight", [4, 32])
def test_pace_changes_nothing(tmp_path: Path, unbroken: bytes, in_flight: int) -> None:
    with endpoint(tmp_path / "asked.log", 0.02, in_flight) as port:
        finish(start(tmp_path, port, in_flight))
    assert dataset(tmp_path) == unbroken


def test_two_hundred_in_flight_are_two_hundred_on_the_wire(tmp_path: Path) -> None:
    with endpoint(tmp_path / "asked.log", 0.5, 3) as port:
        recipe = RECIPE.replace("samples: 60", "samples: 400").replace("{window}", "800")
        document = ROOT / "graphs/symposia_graphs/documents/lighthouses.md"
        (tmp_path / "recipe.yaml").write_text(recipe.format(port=port, document=document, in_flight=200))
        command = [str(Path(sys.executable).parent / "symposia"), "run", "recipe.yaml", "--set", "novelty=null"]
        finish(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as reply:
            assert json.load(reply)["most_in_flight"] == 200
