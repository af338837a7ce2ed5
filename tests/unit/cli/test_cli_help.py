from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from support.cli_plugin import install_plugin
from symposia.cli import main as entry
from symposia.cli.app import root
from symposia.cli.verbs import VERBS, help_text

HEAVY = (
    "pydantic",
    "sqlalchemy",
    "langgraph",
    "litellm",
    "chromadb",
    "torch",
    "xllamacpp",
    "numpy",
    "symposia.host",
)

PROBE = """
import json, sys
sys.argv = ["symposia", *json.loads(sys.argv[1])]
from symposia.cli.main import main
try:
    main()
except SystemExit as exc:
    code = exc.code
print(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


def probe(*arguments: str) -> tuple[int, list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)], capture_output=True, text=True, check=True
    )
    *page, last = done.stdout.splitlines()
    told = json.loads(last)
    return told["code"], told["modules"], "\n".join(page)


def test_the_help_page_loads_nothing() -> None:
    code, modules, page = probe("--help")
    assert code == 0
    assert not [name for name in (*HEAVY, "typer", "rich", "yaml", "importlib.metadata") if name in modules]
    for verb, summary in VERBS.items():
        assert verb in page
        assert summary.split()[0] in page


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    code, modules, page = probe("run", "--help")
    assert code == 0
    assert "--max-candidates" in page
    # typer loads pydantic on its own account.
    assert not [name for name in HEAVY if name in modules and name != "pydantic"]


def test_the_help_page_takes_little_time() -> None:
    """Processor time, which other processes on the machine don't change, of five starts."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "symposia", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert statistics.median(spent) < 0.3, spent


def test_both_ways_to_the_help_page_give_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["symposia", "--help"])
    monkeypatch.setenv("COLUMNS", "90")
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 0
    assert CliRunner().invoke(root, ["--help"]).output.strip() == capsys.readouterr().out.strip()


def test_every_verb_has_a_module_and_helps() -> None:
    for verb in VERBS:
        assert hasattr(import_module(f"symposia.cli.commands.{verb}"), "app")
        done = CliRunner().invoke(root, [verb, "--help"])
        assert done.exit_code == 0, done.output
        assert f"Usage: root {verb}" in done.output


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_page_keeps_within_its_width(width: int) -> None:
    page = help_text(width, {"greet": "Say hello to everybody who is there, one after another, by name."})
    assert all(len(line) <= max(width, 75) for line in page.splitlines())
    assert "From plugins:" in page


def test_a_typing_mistake_is_answered_with_the_right_word() -> None:
    done = CliRunner().invoke(root, ["exprot"])
    assert done.exit_code == 2
    assert "Did you mean 'export'" in done.output


def test_version() -> None:
    done = CliRunner().invoke(root, ["--version"])
    assert (done.exit_code, done.output) == (0, "0.1.0\n")


def test_commands_of_plugins_are_in_the_help_and_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path)))
    page = CliRunner().invoke(root, ["--help"]).output
    assert "From plugins:" in page
    assert "greet" in page
    assert "'ls' is left out" in page
    assert CliRunner().invoke(root, ["greet", "--name", "Ann"]).output == "hello Ann\n"


def test_a_broken_plugin_does_not_stop_the_help(tmp_path: Path) -> None:
    install_plugin(tmp_path, "not_there_at_all")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "symposia"]
    done = subprocess.run([*command, "--help"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run([*command, "plugins", "--json"], env=environment, capture_output=True, text=True)
    broken = json.loads(listed.stdout)["broken"]
    assert [(b["distribution"], b["plugin"]) for b in broken] == [("symposia-talk", "talk")]
    assert "not_there_at_all" in broken[0]["error"]
