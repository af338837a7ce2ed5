"""The request ledger as a file: what is stored, who wins, and what survives."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.llm import MODEL, PROMPT, REQUEST, entry, reply
from symposia.contracts import ChatReply, TokenLogprob
from symposia.errors import StoreError
from symposia.llm import Draw, Ledger, bill, explain, stats
from symposia.llm.entry import entry_of
from symposia.llm.keys import pieces_of
from symposia.llm.text import clean_reply
from symposia.records import Evidence, Usage, Verdict
from symposia.secrets import read_secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "ledger.sqlite"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(path)
    yield opened
    await opened.close()


async def test_what_is_put_is_got(ledger: Ledger) -> None:
    assert await ledger.get(entry(1).key) is None
    assert await ledger.put(entry(1)) == entry(1)
    assert await ledger.get(entry(1).key) == entry(1)
    stored = await ledger.get(entry(1).key)
    assert stored is not None
    assert stored.answer == reply("because", cost=0.5)
    assert stored.usage == reply("", cost=0.5).usage
    assert stored.request == {"messages": list(PROMPT), "max_tokens": 1024, "n": 1, "temperature": 0.7}


async def test_the_first_answer_wins_in_one_batch_and_in_two(ledger: Ledger) -> None:
    first, second = await asyncio.gather(ledger.put(entry(1, "first")), ledger.put(entry(1, "second")))
    assert first == second == entry(1, "first")
    third, other = await asyncio.gather(ledger.put(entry(1, "third")), ledger.put(entry(2, "new")))
    assert third == entry(1, "first")
    assert other == entry(2, "new")


async def test_many_at_once_keep_their_own_answers(ledger: Ledger) -> None:
    async def one(task: int) -> str:
        assert await ledger.get(entry(task).key) is None
        return (await ledger.put(entry(task, f"text {task}"))).answer.texts[0]

    assert await asyncio.gather(*(one(task) for task in range(700))) == [f"text {task}" for task in range(700)]


async def test_a_put_that_nobody_waits_for_is_stored_all_the_same(path: Path) -> None:
    ledger = await Ledger.open(path)
    put = asyncio.create_task(ledger.put(entry(1)))
    await asyncio.sleep(0)
    put.cancel()
    await ledger.close()
    await ledger.close()
    assert stats(path).entries == 1
    with pytest.raises(StoreError, match="closed"):
        await ledger.get(entry(1).key)


async def test_paid_sums_one_run_and_an_unknown_price_stays_unknown(ledger: Ledger, path: Path) -> None:
    await asyncio.gather(*(ledger.put(entry(task, cost=0.5)) for task in range(3)))
    await ledger.put(entry(9, run="run-2", cost=None))
    assert await ledger.paid("run-1") == Usage(calls=3, prompt_tokens=30, completion_tokens=15, cost_usd=1.5)
    assert (await ledger.paid("run-2")).cost_usd is None
    assert await ledger.paid("never") == Usage()
    assert bill(path, "run-1") == {"fake/model": await ledger.paid("run-1")}
    assert bill(path)["fake/model"].cost_usd is None
    assert bill(path)["fake/model"].calls == 4


async def test_verdicts_are_kept_and_errors_are_not(ledger: Ledger) -> None:
    good = Verdict(verifier="v", kind="form", status="pass", evidence=Evidence(summary="fits"))
    await ledger.verdicts.put("a", good)
    await ledger.verdicts.put("a", good.model_copy(update={"status": "fail"}))
    await ledger.verdicts.put("b", good.model_copy(update={"status": "error"}))
    assert await ledger.verdicts.get("a") == good
    assert await ledger.verdicts.get("b") is None


async def test_no_secret_reaches_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-very-secret-1")
    assert read_secret("SOME_KEY") == "sk-very-secret-1"
    ledger = await Ledger.open(path)
    request = REQUEST.model_copy(
        update={"messages": ({"role": "user", "content": "key sk-very-secret-1"},), "stop": ("sk-very-secret-1",)}
    )
    pieces = pieces_of(request, MODEL, Draw(0, 0, "t", "propose", 0, 0, 0))
    told = clean_reply(reply("it is sk-very-secret-1"))
    await ledger.put(entry_of(pieces, told, run="r", created=1.0, seconds=0.1, notes=("sk-very-secret-1",)))
    await ledger.fail("k", run="r", cause="c", message="bad sk-very-secret-1")
    await ledger.close()
    assert b"very-secret" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


hostile = st.text(st.characters(), max_size=40)
"""All of Unicode, surrogate halves and NUL included."""


@settings(max_examples=60)
@given(
    texts=st.lists(hostile, min_size=1, max_size=3),
    logprobs=st.none() | st.lists(st.tuples(hostile, st.floats()), max_size=3),
    cost=st.none() | st.floats(0, 1e9),
)
def test_a_reply_out_of_the_ledger_equals_the_one_that_was_put_in(
    texts: list[str], logprobs: list[tuple[str, float]] | None, cost: float | None
) -> None:
    raw = ChatReply.model_construct(
        texts=tuple(texts),
        finish_reasons=("stop",),
        usage=Usage(calls=3, prompt_tokens=1, completion_tokens=2, cost_usd=cost),
        logprobs=(tuple(TokenLogprob.model_construct(token=t, logprob=p, top={t: p}) for t, p in logprobs),)
        if logprobs is not None
        else None,
        tool_calls=None,
        model_version=None,
    )
    told = clean_reply(raw)
    pieces = pieces_of(REQUEST, MODEL, Draw(0, 0, "t", "propose", 0, 0, 0))
    stored = entry_of(pieces, told, run="r", created=1.0, seconds=0.1)
    assert stored.answer == told
    assert len(told.finish_reasons) == len(texts)
    for text in told.texts:
        assert "\x00" not in text
        text.encode()


# -- files that can't be used --------------------------------------------------------------------------------------


async def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await Ledger.open(path)
    return caught.value


async def test_a_newer_schema_is_refused(path: Path) -> None:
    await (await Ledger.open(path)).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()
    error = await refused(path)
    assert "newer Symposia (schema 99" in error.message
    assert "update" in error.hint
    with pytest.raises(StoreError, match="newer"):
        stats(path)


async def test_other_files_are_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a diary, long enough to be no database header\n" * 5)
    assert "not a database" in (await refused(path)).message
    assert path.read_text().startswith("a diary")
    other = path.with_name("other.sqlite")
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE TABLE mine (x)")
    raw.close()
    assert "not a ledger of Symposia" in (await refused(other)).message
    (path.parent / "folder.sqlite").mkdir()
    assert (await refused(path.parent / "folder.sqlite")).hint


async def test_a_missing_or_unwritable_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no ledger"):
        stats(tmp_path / "none.sqlite")
    (tmp_path / "file").write_text("")
    assert (await refused(tmp_path / "file" / "ledger.sqlite")).hint


async def test_a_full_disk_is_an_error_with_a_hint_and_loses_nothing(path: Path) -> None:
    ledger = await Ledger.open(path)
    await ledger.put(entry(0))
    await ledger._writer.call(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=20").all())
    with pytest.raises(StoreError, match="full") as caught:
        for task in range(1, 200):
            await ledger.put(entry(task, "x" * 3000))
    assert "free some disk space" in caught.value.hint
    assert await ledger.get(entry(0).key) == entry(0)
    await ledger._writer.call(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=9999").all())
    assert await ledger.put(entry(500)) == entry(500)
    await ledger.close()
    assert explain(path, entry(500).key).run == "run-1"


# -- kill -9 and two processes -------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[5])
from support.llm import entry
from symposia.llm import Ledger

async def main(path, who, first, count):
    ledger = await Ledger.open(path)
    async def one(task):
        got = await ledger.put(entry(task, who, run=who))
        print(task, got.answer.texts[0], flush=True)
    await asyncio.gather(*(one(task) for task in range(first, first + count)))
    await ledger.close()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def child(path: Path, who: str, first: int, count: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", CHILD, str(path), who, str(first), str(count), tests]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_after_a_kill_the_ledger_opens_and_holds_every_answer_that_was_given_out(path: Path) -> None:
    with child(path, "one", 0, 6_000) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(200)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    # A kill may cut the last line.
    given_out = [int(line.split()[0]) for line in lines if line.endswith("one\n")]
    assert len(given_out) >= 200
    ledger = await Ledger.open(path)
    found = await asyncio.gather(*(ledger.get(entry(task).key) for task in given_out))
    assert all(row is not None and row.answer.texts == ("one",) for row in found)
    assert await ledger.put(entry(99_999)) == entry(99_999)
    await ledger.close()


def test_two_processes_share_a_ledger_and_agree_on_every_answer(path: Path) -> None:
    with child(path, "one", 0, 400) as one, child(path, "two", 200, 400) as two:
        said = [dict(line.split() for line in process.communicate()[0].splitlines()) for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0)
    assert len(said[0]) == len(said[1]) == 400
    assert all(said[1][task] == text for task, text in said[0].items() if task in said[1])
    held = stats(path)
    assert held.entries == 600
    assert sum(held.runs.values()) == 600


async def test_many_may_make_the_ledger_at_once(path: Path) -> None:
    """Each opening has a thread and a connection of its own, as processes have."""
    ledgers = await asyncio.gather(*(Ledger.open(path) for _ in range(8)))
    await asyncio.gather(*(ledger.put(entry(task)) for task, ledger in enumerate(ledgers)))
    for ledger in ledgers:
        await ledger.close()
    assert stats(path).entries == 8
