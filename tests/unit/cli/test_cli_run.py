from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from support.cli_plugin import RECIPE, install_plugin
from symposia.cli.app import root
from symposia.records import EVENT


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "site")))
    work = tmp_path / "work"
    work.mkdir()
    (work / "talk.yaml").write_text(RECIPE)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(work)
    monkeypatch.delenv("SYMPOSIA_RUNS", raising=False)
    return work


def symposia(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(root, list(arguments), input=stdin)


def only_run() -> dict[str, object]:
    (run,) = json.loads(symposia("ls", "--json").output)
    assert isinstance(run, dict)
    return run


def test_a_run_says_what_happened_and_where_it_is(here: Path) -> None:
    done = symposia("run", "talk.yaml")
    assert done.exit_code == 0, done.output
    for part in ("4 of 4 accepted, 1 rejected", "fake:bad", "5 calls", "$0.05", "dataset.jsonl", "is complete"):
        assert part in done.output
    run = only_run()
    assert list(run) == ["run", "state", "accepted", "rejected", "parked", "failed"]
    assert (run["state"], run["accepted"], run["rejected"]) == ("complete", 4, 1)
    rows = (here / "runs" / str(run["run"]) / "dataset.jsonl").read_text().splitlines()
    assert len(rows) == 4


def test_json_gives_nothing_but_event_lines() -> None:
    done = symposia("run", "talk.yaml", "--json", "--samples", "2")
    events = [EVENT.validate_json(line) for line in done.stdout.splitlines()]
    kinds = [event.kind for event in events]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert {"task_started", "turn_taken", "task_settled"} <= set(kinds)


def test_quiet_says_one_line() -> None:
    done = symposia("run", "talk.yaml", "--quiet")
    assert len(done.output.splitlines()) == 1
    assert "complete: 4/4 accepted, 1 rejected" in done.output


def test_the_same_command_goes_on() -> None:
    symposia("run", "talk.yaml")
    more = symposia("run", "talk.yaml", "--samples", "6")
    assert "goes on after 5 settled tasks: 4 of 6 samples accepted" in more.output
    assert only_run()["accepted"] == 6


def test_an_unknown_price_is_said_to_be_unknown() -> None:
    assert "cost unknown" in symposia("run", "talk.yaml", "--model", "parrot/free").output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--max-candidates", "2"), 3, "run the same recipe with a higher one"),
        (("--model", "parrot/gone"), 4, "nobody is there"),
        (("--model", "parrot/failing", "--set", "limits.max_failed_share=0.1"), 6, "more tasks failed"),
        (("--set", "parameters.park=true"), 7, "wait for a person: symposia review talk-"),
        (("--set", "sampels=3"), 2, "did you mean 'samples'"),
        (("--set", "verifiers=[heavy]"), 2, "pip install 'symposia-talk[heavy]'"),
        (("--model", "parrto/quick"), 2, "did you mean 'parrot'"),
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int, said: str) -> None:
    done = symposia("run", "talk.yaml", *arguments)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_mistake_in_the_recipe_is_named_with_its_place(here: Path) -> None:
    (here / "talk.yaml").write_text(RECIPE.replace("in_flight", "in_flite"))
    done = symposia("run", "talk.yaml")
    assert done.exit_code == 2
    assert "talk.yaml:8:10: limits.in_flite: unknown key" in done.stderr
    assert "→ did you mean 'in_flight'?" in done.stderr
    assert done.stdout == ""


def test_debugging_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_DEBUG", "1")
    done = symposia("run", "nothing-like-it")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert "no recipe is called 'nothing-like-it'" in done.stderr


def test_show_tells_the_run_a_task_and_outcomes() -> None:
    symposia("run", "talk.yaml")
    run = str(only_run()["run"])
    overview = symposia("show", "talk").output
    for part in (run, "complete", "fake:bad", "draft of task 0"):
        assert part in overview
    task = symposia("show", run, "0").output
    assert "task 0 · talk" in task
    assert "ACCEPTED" in task
    assert "\x1b[31m" not in task
    assert "␛[31m[bold]red[/bold]" in task
    rejected = symposia("show", run, "--rejected").output
    assert "REJECTED at verify: fake:bad" in rejected
    assert "ACCEPTED" not in rejected
    assert "no task is like that" in symposia("show", run, "--cause", "nothing").output
    missing = symposia("show", run, "99")
    assert missing.exit_code == 2
    assert "its tasks are 0 to 4" in missing.output


def test_show_as_json() -> None:
    symposia("run", "talk.yaml")
    assert json.loads(symposia("show", "talk", "--json").output)["counts"]["accepted"] == 4
    one = json.loads(symposia("show", "talk", "2", "--json").output)
    assert (one["task"], one["decision"]["cause"]) == (2, "fake:bad")
    assert one["negotiation"]["drafts"][0]["payload"]["text"].startswith("bad draft")
    many = json.loads(symposia("show", "talk", "--accepted", "--limit", "2", "--json").output)
    assert [found["task"] for found in many] == [0, 1]


def test_an_unknown_run_is_answered_with_near_ones() -> None:
    symposia("run", "talk.yaml")
    done = symposia("show", "tlak")
    assert done.exit_code == 2
    assert "talk-" in done.output


def test_export_writes_where_it_is_told(here: Path) -> None:
    symposia("run", "talk.yaml")
    done = symposia("export", "talk", "--out", "out.jsonl", "--json")
    assert json.loads(done.output) == {"rows": 4, "path": "out.jsonl", "format": "jsonl"}
    assert len((here / "out.jsonl").read_text().splitlines()) == 4
    wrong = symposia("export", "talk", "--format", "jsnol")
    assert wrong.exit_code == 2
    assert "'jsonl'" in wrong.output
    assert symposia("export", "talk", "--out", ".").exit_code == 2
    assert "no folder" in symposia("export", "talk", "--out", "none/out.jsonl").output


def test_the_cache_is_explained_counted_and_exported(here: Path) -> None:
    symposia("run", "talk.yaml")
    bill = json.loads(symposia("cache", "bill", "talk", "--json").output)
    assert bill["parrot/quick"]["calls"] >= 5
    assert "parrot/quick" in symposia("cache", "bill").output
    turn = json.loads(symposia("show", "talk", "0", "--json").output)["negotiation"]["turns"][0]
    told = symposia("cache", "explain", turn["keys"][0][:16])
    assert told.exit_code == 0
    assert "parrot/quick" in told.output
    assert json.loads(symposia("cache", "explain", turn["keys"][0], "--json").output)["key"] == turn["keys"][0]
    assert symposia("cache", "explain", "0000").exit_code == 2
    assert "answers" in symposia("cache", "stats").output
    count = json.loads(symposia("cache", "export", "talk", "--out", "tape.jsonl", "--json").output)["entries"]
    assert count == 5
    assert (here / "tape.jsonl").is_file()


def test_nothing_there_is_no_error_for_ls_and_one_for_the_cache() -> None:
    assert json.loads(symposia("ls", "--json").output) == []
    assert "no runs" in symposia("ls").output
    done = symposia("cache", "bill")
    assert done.exit_code == 5
    assert "Traceback" not in done.output


def command(*arguments: str) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parents[2])
    site = str(Path.cwd().parent / "site")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([site, tests])}
    return subprocess.Popen(
        [sys.executable, "-m", "symposia", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt_after_first_task(process: subprocess.Popen[str], times: int) -> tuple[str, str]:
    assert process.stdout is not None
    for line in process.stdout:
        if '"task_settled"' in line:
            break
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    return process.communicate(timeout=30)


def test_one_interrupt_finishes_what_is_in_flight_and_the_run_goes_on_later() -> None:
    with command("run", "talk.yaml", "--model", "parrot/slow", "--samples", "30", "--json") as process:
        out, err = interrupt_after_first_task(process, 1)
    assert process.returncode == 130, err
    assert "finishing what is in flight" in err
    last = json.loads(out.splitlines()[-1])
    assert (last["kind"], last["state"]) == ("run_finished", "interrupted")
    assert 0 < last["accepted"] < 30
    done = symposia("run", "talk.yaml", "--model", "parrot/slow", "--samples", str(last["accepted"] + 1))
    assert "goes on after" in done.output
    assert done.exit_code == 0


def test_a_second_interrupt_stops_at_once() -> None:
    with command("run", "talk.yaml", "--model", "parrot/slow", "--samples", "200", "--json") as process:
        _, err = interrupt_after_first_task(process, 2)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_reader_who_leaves_is_no_error() -> None:
    symposia("run", "talk.yaml", "--samples", "25")
    with command("show", "talk", "--accepted", "--limit", "60") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
