"""Embedder, indexes and novelty check: what goes beyond the rules of their contracts."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.contracts import GateEntry, Index, IndexEntry, NoveltyCheck
from symposia.errors import MissingExtraError, NoveltyError, RecipeError
from symposia.host import Host, Workbench
from symposia.records import Draft, JsonValue
from symposia_plugins.indexes.exact import ExactIndex
from symposia_plugins.indexes.similarity import similarity

HOST = Host(allow=())


def part(kind: Any, name: str, folder: Path, **params: JsonValue) -> Any:
    return Workbench(HOST, folder, folder).build(kind, name, params)


def draft(text: str, **more: JsonValue) -> Draft:
    return Draft(round=0, author="teacher", payload={"question": text, **more})


# -- embedder ------------------------------------------------------------------------------------------------------


def test_wordllama_sets_up_no_logging_and_reaches_for_no_network(tmp_path: Path) -> None:
    script = (
        "import socket, logging, asyncio\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from symposia_plugins.embedders.wordllama import WordLlamaEmbedder\n"
        "e = WordLlamaEmbedder()\n"
        "print(e.name, asyncio.run(e.embed(['a light'])).shape, logging.getLogger().handlers)\n"
    )
    home = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=home)
    assert done.stdout.startswith("wordllama-") and done.stdout.endswith("(1, 256) []\n")
    assert done.stderr == "" and list(tmp_path.iterdir()) == []


async def test_wordllama_sees_likeness(tmp_path: Path) -> None:
    embedder = part("embedder", "wordllama", tmp_path)
    one, same, other = await embedder.embed(
        ["What is the capital of France?", "What's France's capital city?", "How do bees make honey in winter?"]
    )
    assert similarity(one, same) > 0.85 > 0.4 > similarity(one, other)
    many = await embedder.embed([f"text {n}" for n in range(300)])
    assert np.array_equal(many[7], (await embedder.embed(["text 7"]))[0]), "also on its thread"
    await embedder.close()
    with pytest.raises(NoveltyError, match="closed"):
        await embedder.embed(["x"])
    assert logging.getLogger("wordllama").level == logging.WARNING


# -- indexes -------------------------------------------------------------------------------------------------------

NUMBERS = st.floats(-1, 1, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6)
VECTORS = st.lists(NUMBERS, min_size=4, max_size=4).filter(any).map(lambda x: np.array(x, dtype=np.float32))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(VECTORS, st.integers(0, 9)), max_size=40), VECTORS, st.integers(1, 12), st.integers(0, 10)
)
async def test_exact_equals_brute_force(
    stored: list[tuple[np.ndarray[Any, np.dtype[np.float32]], int]],
    wanted: np.ndarray[Any, np.dtype[np.float32]],
    k: int,
    as_of: int,
) -> None:
    index = ExactIndex()
    await index.open("any", 4)
    await index.upsert([IndexEntry(f"{n:03d}", log, str(n), vector) for n, (vector, log) in enumerate(stored)])
    scored = sorted((-similarity(wanted, v), f"{n:03d}") for n, (v, log) in enumerate(stored) if log <= as_of)
    hits = await index.search(wanted, k, as_of)
    assert [(-hit.similarity, hit.id) for hit in hits] == scored[:k]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=64))
def test_the_similarity_that_decides_does_not_depend_on_order(numbers: list[float]) -> None:
    vector = np.array(numbers, dtype=np.float32)
    turned = vector[::-1].copy()
    assert (
        similarity(vector, vector) == similarity(turned, turned) == math.fsum(float(x) * float(x) for x in vector)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 12)), max_size=60))
async def test_exact_holds_what_was_added_and_not_removed(steps: list[tuple[str, int]]) -> None:
    index = ExactIndex()
    await index.open("any", 16)
    held: dict[str, int] = {}
    for step, (action, number) in enumerate(steps):
        if action == "add":
            vector = np.zeros(16, dtype=np.float32)
            vector[number] = 1 + step
            await index.upsert([IndexEntry(str(number), step, str(step), vector)])
            held[str(number)] = step
        else:
            await index.remove([str(number)])
            held.pop(str(number), None)
    assert await index.ids() == set(held)
    every = await index.search(np.ones(16, dtype=np.float32), 100)
    assert {hit.id: int(hit.text) for hit in every} == held
    assert all(hit.similarity == 1 + int(hit.text) for hit in every)


async def chroma(folder: Path, embedder: str = "e-1", dimensions: int = 8, **params: JsonValue) -> Index:
    index: Index = part("index", "chroma", folder, **params)
    await index.open(embedder, dimensions)
    return index


def entries(count: int, dimensions: int = 8) -> list[IndexEntry]:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(count, dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [IndexEntry(f"{n:04d}", n, f"text {n}", v.astype(np.float32)) for n, v in enumerate(vectors)]


@pytest.fixture
def needs_chroma() -> None:
    pytest.importorskip("chromadb")


@pytest.mark.usefixtures("needs_chroma")
async def test_chroma_keeps_its_entries_to_the_bit_and_its_owner(tmp_path: Path) -> None:
    index = await chroma(tmp_path)
    stored = entries(50)
    await index.upsert(stored)
    with pytest.raises(NoveltyError, match=f"held by process {os.getpid()} on "):
        await chroma(tmp_path)
    await index.close()
    again = await chroma(tmp_path, ef_search=300)
    assert await again.ids() == {entry.id for entry in stored}
    for entry in stored[:5]:
        (hit,) = await again.search(entry.vector, 1)
        assert hit == (entry.id, entry.text, similarity(entry.vector, entry.vector))
    await again.close()
    for embedder, dimensions in (("e-2", 8), ("e-1", 9)):
        with pytest.raises(NoveltyError, match=r"was made with e-1 \(8 dimensions\)"):
            await chroma(tmp_path, embedder, dimensions)
    last = await chroma(tmp_path)
    assert len(await last.ids()) == 50, "a refused opening gives the lock back"
    await last.close()


@pytest.mark.usefixtures("needs_chroma")
async def test_chroma_refuses_a_space_that_is_not_cosine(tmp_path: Path) -> None:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(tmp_path / "chroma"), settings=Settings(anonymized_telemetry=False))
    client.create_collection("novelty", embedding_function=None, metadata={"embedder": "e-1", "dimensions": 8})
    client.close()
    with pytest.raises(NoveltyError, match="measures l2, not cosine"):
        await chroma(tmp_path)


@pytest.mark.usefixtures("needs_chroma")
async def test_chroma_takes_batches_as_large_as_they_come(tmp_path: Path) -> None:
    index: Any = await chroma(tmp_path)
    index._client.get_max_batch_size = lambda: 7
    stored = entries(20)
    await index.upsert([*stored, stored[0]._replace(text="last")])
    assert len(await index.ids()) == 20
    assert (await index.search(stored[0].vector, 1))[0].text == "last"
    await index.remove([entry.id for entry in stored[:15]])
    assert len(await index.ids()) == 5
    await index.close()


@pytest.mark.usefixtures("needs_chroma")
async def test_chroma_is_not_reconfigured_by_a_dotenv_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CHROMA_API_IMPL=chromadb.api.nowhere\nANONYMIZED_TELEMETRY=true\n")
    monkeypatch.chdir(tmp_path)
    index: Any = await chroma(tmp_path)
    assert index._client.get_settings().anonymized_telemetry is False
    await index.close()


def test_chroma_without_a_run_folder_says_what_to_use() -> None:
    with pytest.raises(NoveltyError) as caught:
        Workbench(HOST, Path()).build("index", "chroma", {})
    assert "exact" in caught.value.hint


def test_chroma_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host = Host(allow=())
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(MissingExtraError) as caught:
        Workbench(host, tmp_path, tmp_path).build("index", "chroma", {})
    assert caught.value.hint == "pip install 'symposia[chroma]'"


# -- novelty check -------------------------------------------------------------------------------------------------


class Recorded:
    """An index that counts what is written to it."""

    def __init__(self, inner: Index) -> None:
        self.inner = inner
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def upsert(self, given_: list[IndexEntry]) -> None:
        self.written += len(given_)
        await self.inner.upsert(given_)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Any]:
    return lambda **params: part("novelty_check", "embedding", tmp_path, **params)


async def held(check: NoveltyCheck, text: str, task: int, log: int = 0) -> GateEntry:
    _, entry = await check.compare(draft(text), task)
    entry = entry._replace(log=log)
    await check.hold(entry)
    return entry


async def test_only_the_named_fields_are_compared(check: Callable[..., Any]) -> None:
    one = check(fields=["question"])
    await one.open(())
    _, entry = await one.compare(draft("Who built the tower?", answer="Smeaton"), 0)
    assert entry.text == "Who built the tower?"
    every = check()
    await every.open(())
    _, entry = await every.compare(draft("Who built the tower?", answer="Smeaton"), 0)
    assert entry.text == "Who built the tower?\nSmeaton"


async def test_a_verdict_names_as_many_neighbours_as_asked_for_nearest_first(check: Callable[..., Any]) -> None:
    one = check(neighbours=2, threshold=0.99)
    await one.open(())
    for task, text in enumerate(["Who built the tower?", "Who built the old tower?", "What do bees eat?"]):
        await held(one, text, task, log=task + 1)
    verdict, _ = await one.compare(draft("Who built the tower?"), 9)
    assert [n.id for n in verdict.neighbours] == ["0", "1"] and not verdict.novel
    assert verdict.neighbours[0].text == "Who built the tower?"
    assert [n.id for n in (await one.probe(draft("Who built the old tower?"), 1)).neighbours] == ["0"]


async def test_equal_texts_are_duplicates_even_at_threshold_one(check: Callable[..., Any]) -> None:
    one = check(threshold=1.0)
    await one.open(())
    await held(one, "Who built the tower?", 0)
    assert not (await one.compare(draft("Who built the tower?"), 1))[0].novel
    assert (await one.compare(draft("Who built that tower?"), 1))[0].novel


async def test_a_draft_without_text_is_never_novel(check: Callable[..., Any]) -> None:
    one = check(fields=["question"])
    await one.open(())
    for empty in ("", " \n"):
        assert not (await one.probe(draft(empty), 5)).novel
        verdict, entry = await one.compare(draft(empty), 1)
        assert not verdict.novel and entry.data == b""
        with pytest.raises(NoveltyError, match="task 1"):
            await one.hold(entry)


async def test_a_broken_embedder_is_an_error_and_no_verdict(check: Callable[..., Any]) -> None:
    one = check()
    await one.open(())
    await one.close()
    with pytest.raises(NoveltyError, match="closed"):
        await one.probe(draft("Who built the tower?"), 5)


async def test_opening_makes_the_index_hold_exactly_what_the_store_holds(check: Callable[..., Any]) -> None:
    one = check()
    await one.open(())
    stored = [await held(one, f"Question number {n} on subject {n * n}?", n, log=n + 1) for n in range(5)]
    kept: Any = Recorded(one._index)
    one._index = kept
    await one.open(stored)
    assert kept.written == 0, "what is there already is not written again"
    moved = stored[1]._replace(log=9)
    await one.open([stored[0], moved, stored[2]])
    assert kept.written == 1
    assert len(await kept.ids()) == 3
    before, after = [await one.probe(draft(moved.text), as_of) for as_of in (8, 9)]
    assert before.similarity < 0.99 <= after.similarity
    await one.open([stored[3]._replace(log=0)])
    assert await kept.ids() == set()
    assert not (await one.compare(draft(stored[3].text), 99))[0].novel
    assert (await one.probe(draft(stored[3].text), 99)).novel


async def test_entries_of_another_embedder_are_refused(check: Callable[..., Any]) -> None:
    one = check()
    with pytest.raises(NoveltyError, match="task 3 holds 16 bytes, no vector of 256 float32 numbers"):
        await one.open([GateEntry("embedding", 3, 1, "x", b"\0" * 16)])


async def test_the_entry_survives_the_store_to_the_bit(check: Callable[..., Any]) -> None:
    one = check()
    await one.open(())
    _, entry = await one.compare(draft("Who built the tower?"), 0)
    (vector,) = await one._embedder.embed(["Who built the tower?"])
    assert np.frombuffer(entry.data, dtype="<f4").tobytes() == vector.tobytes()


@pytest.mark.parametrize("params", [{"threshold": 0}, {"threshold": 1.1}, {"index": {}}, {"neighbours": 0}])
def test_settings_of_the_check_that_make_no_sense_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        HOST.params("novelty_check", "embedding", params)
