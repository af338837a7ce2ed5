from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from support.cli_plugin import RECIPE, install_plugin
from symposia.cli.app import root
from symposia.cli.commands import demo as demo_command


def symposia(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "site")))
    (tmp_path / "talk.yaml").write_text(RECIPE)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_command, "_RECIPE", "talk.yaml")
    return tmp_path


def test_the_demo_tells_a_negotiation_the_samples_the_rejects_and_the_files() -> None:
    done = symposia("demo", "--samples", "5")
    assert done.exit_code == 0, done.output
    order = [
        "parrot/quick negotiates 5 samples",
        "task 0",
        "(parrot/quick) drafts",
        "ACCEPTED",
        "accepted: 5",
        "rejected: 2",
        "fake:bad",
    ]
    places = [done.output.index(part) for part in order]
    assert places == sorted(places)
    assert "dataset.jsonl" in done.output
    assert "\x1b" not in done.output


def test_a_second_demo_tells_what_is_stored() -> None:
    symposia("demo")
    again = symposia("demo")
    assert again.exit_code == 0
    assert "This run was made before" in again.output
    assert "ACCEPTED" in again.output
    assert "accepted: 4" in again.output


def test_a_library_that_is_missing_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    from symposia.host import Owned

    monkeypatch.setattr(Owned, "missing", ("no_such_library",))
    done = symposia("demo")
    assert done.exit_code == 2
    assert "needs no_such_library" in done.output
    assert not Path("runs").exists()


def test_the_model_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from symposia import models
    from symposia.cli import pulling

    fetched: list[str] = []

    def pull(name: str, *, force: bool = False) -> Path:
        fetched.append(name)
        return tmp_path / "weights.gguf"

    monkeypatch.setattr(pulling, "pull_with_progress", pull)
    monkeypatch.setattr(models, "find", lambda name: None)
    Path("talk.yaml").write_text(RECIPE.replace("parrot/quick", "local/smollm2"))
    monkeypatch.setattr("symposia.cli.running.execute", stop)
    done = symposia("demo")
    assert "stopped here" in str(done.output)
    assert fetched == ["smollm2"]


def stop(*arguments: object, **options: object) -> None:
    from symposia.errors import SymposiaError

    raise SymposiaError("stopped here")
