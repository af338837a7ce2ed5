"""The store of a run: bad files, locks, listing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from symposia.contracts import GateEntry
from symposia.errors import LockedError, StoreError, UsageError
from symposia.records import (
    Decision,
    Draft,
    Negotiation,
    Recipe,
    Sample,
    SourceRow,
    Task,
    Ticket,
    Turn,
    Usage,
)
from symposia.store import Assigned, RunLock, RunStore, Settlement, find_run, list_runs

RECIPE = Recipe.model_validate({"graph": "qa", "roles": {"teacher": {"model": "local/x"}}})


def settlement(number: int, outcome: str = "accepted", cost: float | None = 0.25) -> Settlement:
    turn = Turn(
        round=0,
        role="teacher",
        kind="propose",
        model="local/x",
        text="hi",
        usage=Usage(calls=1, prompt_tokens=3, completion_tokens=2, cost_usd=cost),
    )
    negotiation = Negotiation(
        ticket=Ticket(task=Task(number=number)),
        graph="qa",
        turns=(turn,),
        drafts=(Draft(round=0, author="teacher", payload={"a": "b"}),),
        best_round=0,
        ending="settled",
    )
    decision = Decision.model_validate({"outcome": outcome, "stage": "verify", "cause": "x"})
    sample = Sample(id=str(number), task=number, graph="qa", payload={"a": "b"}) if outcome == "accepted" else None
    entry = GateEntry("embedding", number, 0, "b", b"\0\1")
    return Settlement("task", negotiation, decision, sample, held=(entry,))


def test_everything_of_a_decision_is_stored_together(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        assert store.settle(settlement(0)) == 1
        assert store.settle(settlement(1, "rejected")) == 2
        store.put_surplus([2, 3])
        store.give_numbers([Assigned(9, 1, {"retry_of": 1})])
    with RunStore.open(tmp_path) as store:
        assert [sample.task for sample in store.samples()] == [0]
        assert [n for n, _ in store.decisions()] == [0, 1, 2, 3]
        counts = store.counts()
        assert (counts.accepted, counts.rejected, counts.surplus, counts.settled) == (1, 1, 2, 2)
        assert store.next_task() == 2
        assert store.last_log() == 3
        assert [entry.log for entry in store.gate_entries("embedding")] == [1, 2]
        assert store.usage() == Usage(calls=2, prompt_tokens=6, completion_tokens=4, cost_usd=0.5)
        assert {(c.outcome, c.cause): c.count for c in store.causes()} == {
            ("accepted", "x"): 1,
            ("rejected", "x"): 1,
            ("surplus", "enough"): 2,
        }
        assert store.assigned()[9].parameters == {"retry_of": 1}
        assert [n.number for n in store.negotiations()] == [0, 1]


def test_an_unknown_price_makes_the_sum_unknown(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        store.settle(settlement(0))
        store.settle(settlement(1, cost=None))
        assert store.usage().cost_usd is None


def test_rows_come_back_by_place(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        rows = [SourceRow(id=f"a#{i}", fields={"passage": f"text {i}\n\u2028"}) for i in range(2500)]
        assert store.put_rows(iter(rows)) == 2500
        assert store.row(0) == rows[0]
        assert store.row(2499) == rows[2499]


def test_a_long_listing_comes_in_order(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        for number in range(450):
            store.settle(settlement(number, "accepted" if number % 2 else "rejected"))
        assert [s.task for s in store.samples()] == list(range(1, 450, 2))


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    RunStore.open(tmp_path, write=True).close()
    with sqlite3.connect(tmp_path / "run.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match=r"schema 99.*\n.*upgrade"):
        RunStore.open(tmp_path)


@pytest.mark.parametrize(
    "content", [b"not a database at all, only text " * 40, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_store_is_an_error_not_a_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.sqlite").write_bytes(content)
    with pytest.raises(StoreError):
        RunStore.open(tmp_path)
    summary = list_runs(tmp_path.parent)
    assert any(s.state == "unreadable" for s in summary)


def test_no_store_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        RunStore.open(tmp_path)
    with RunStore.open(tmp_path, write=True) as store, pytest.raises(StoreError, match="no recipe"):
        store.recipe()


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, write=True) as store:
        store.set_meta("recipe", RECIPE.model_dump_json())
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            connection.commit()
        with pytest.raises(StoreError, match=r"full[\s\S]*free some space"):
            for number in range(100):
                store.settle(settlement(number))


def test_a_second_engine_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from symposia.store import RunLock;"
        "lock = RunLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(LockedError, match=f"process {other.pid} on"):
            RunLock(tmp_path)
        other.kill()
        other.wait()
        other.stdin.close()
    with RunLock(tmp_path):
        holder = json.loads((tmp_path / "run.lock").read_text())
        assert holder["pid"] > 0


def test_runs_are_found_by_name_beginning_and_path(tmp_path: Path) -> None:
    for name in ("qa-aaaa", "qa-bbbb", "code-cccc"):
        (tmp_path / name).mkdir()
        with RunStore.open(tmp_path / name, write=True) as store:
            store.settle(settlement(0))
            store.set_meta("state", "complete")
    assert [s.run for s in list_runs(tmp_path)] == ["code-cccc", "qa-aaaa", "qa-bbbb"]
    assert list_runs(tmp_path)[0]._asdict() | {"folder": None} == {
        "run": "code-cccc",
        "folder": None,
        "state": "complete",
        "accepted": 1,
        "rejected": 0,
        "parked": 0,
        "failed": 0,
    }
    assert find_run(tmp_path, "code") == tmp_path / "code-cccc"
    assert find_run(tmp_path, str(tmp_path / "qa-aaaa")) == tmp_path / "qa-aaaa"
    with pytest.raises(UsageError, match="several"):
        find_run(tmp_path, "qa")
    with pytest.raises(UsageError, match="did you mean 'qa-aaaa'"):
        find_run(tmp_path, "qa-aaab")
