from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from support.cli_plugin import RECIPE, install_plugin
from symposia.cli.app import guarded, root
from symposia.cli.console import say, say_json
from symposia.models import KNOWN
from symposia.secrets import read_secret


def symposia(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "site")))
    monkeypatch.setenv("SYMPOSIA_HOME", str(tmp_path / "home"))
    (tmp_path / "talk.yaml").write_text(RECIPE)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plugins_are_listed_with_owner_version_and_what_to_install() -> None:
    told = json.loads(symposia("plugins", "--json").output)
    by_name = {(offer["kind"], offer["name"]): offer for offer in told["offers"]}
    talk = by_name["graph", "talk"]
    assert (talk["distribution"], talk["version"], talk["plugin"]) == ("symposia-talk", "1.2", "talk")
    heavy = by_name["verifier", "heavy"]
    assert heavy["missing"] == ["no_such_library"]
    assert heavy["install"] == "pip install 'symposia-talk[heavy]'"
    page = symposia("plugins", "--kind", "verifier").output
    assert "pip install 'symposia-talk[heavy]'" in page
    assert "talk" not in page.replace("symposia-talk", "")
    wrong = symposia("plugins", "--kind", "verifer")
    assert wrong.exit_code == 2
    assert "'verifier'" in wrong.output


def test_config_shows_values_and_where_they_come_from() -> None:
    shown = yaml.safe_load(symposia("config", "show", "talk.yaml").output)
    assert (shown["samples"], shown["limits"]["max_failed_share"]) == (4, 0.2)
    page = symposia("config", "show", "talk.yaml", "--origin", "--set", "seed=3").output
    rows = {line.split()[0]: line for line in page.splitlines() if line.strip()}
    assert "talk.yaml:3:1" in rows["samples"]
    assert "--set seed" in rows["seed"]
    assert "default" in rows["limits.max_failed_share"]
    both = json.loads(symposia("config", "show", "talk.yaml", "--origin", "--json").output)
    assert both["origins"]["roles.teacher.model"] == "talk.yaml:6:13"
    assert both["recipe"]["samples"] == 4


def test_the_schema_knows_the_parts_of_plugins() -> None:
    schema = json.loads(symposia("config", "schema").output)
    jsonschema.validate(yaml.safe_load(RECIPE), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**yaml.safe_load(RECIPE), "graph": "tlak"}, schema)


def test_a_new_recipe_is_the_shipped_one_with_its_comments() -> None:
    done = symposia("new", "my-notes", "--from", "qa")
    assert done.exit_code == 0, done.output
    text = Path("my-notes.yaml").read_text()
    assert "\n#" in text or text.startswith("#")
    value = yaml.safe_load(text)
    assert value["name"] == "my-notes"
    assert Path(value["source"]["path"]).is_file()
    again = symposia("new", "my-notes")
    assert again.exit_code == 2
    assert "--force" in again.output
    assert symposia("new", "my-notes.yaml", "--force").exit_code == 0
    assert symposia("new", "My Notes!").exit_code == 2
    assert "did you mean 'qa'" in symposia("new", "other", "--from", "qaa").output


def test_constitutions_are_listed_shown_and_linted() -> None:
    listed = {row["name"]: row["principles"] for row in json.loads(symposia("constitution", "ls", "--json").output)}
    assert listed["helpful-short"] <= 16
    assert listed["comprehensive"] >= 50
    shown = symposia("constitution", "show", "helpful-short").output
    assert "faithful-to-source · major" in shown
    for name in listed:
        done = symposia("constitution", "lint", name, "--strict")
        assert done.exit_code == 0, done.output


def test_lint_fails_on_errors_and_on_warnings_when_strict() -> None:
    principle = "- {id: a, title: A, text: One., positive: x, negative: y, conflicts_with: [b]}\n"
    Path("c.yaml").write_text("name: c\nprinciples:\n" + principle)
    done = symposia("constitution", "lint", "c.yaml")
    assert done.exit_code == 2
    assert "c.yaml:3:59: error [unknown-conflict]" in done.output
    Path("c.yaml").write_text("name: c\nprinciples:\n- {id: a, title: A, text: One.}\n")
    assert symposia("constitution", "lint", "c.yaml").exit_code == 0
    assert symposia("constitution", "lint", "c.yaml", "--strict").exit_code == 2
    (finding,) = json.loads(symposia("constitution", "lint", "c.yaml", "--json").output)
    assert (finding["level"], finding["rule"], finding["principles"]) == ("warning", "missing-example", ["a"])
    assert symposia("constitution", "lint", "none.yaml").exit_code == 2


def test_lint_asks_no_model_and_no_run_unless_told() -> None:
    principle = "- {id: %s, title: A, text: '%s', category: c, positive: x, negative: y}\n"
    Path("c.yaml").write_text("name: c\nprinciples:\n" + principle % ("a", "One.") + principle % ("b", "Two."))
    symposia("run", "talk.yaml", "--quiet")
    done = symposia("constitution", "lint", "c.yaml", "--run", "talk")
    assert "the run has no critique that could be read" in done.output
    wrong = symposia("constitution", "lint", "c.yaml", "--model", "smollm2")
    assert wrong.exit_code == 2
    assert "<backend>/<model>" in wrong.output


def test_lint_shows_what_a_model_thinks_as_its_opinion() -> None:
    principle = "- {id: %s, title: A, text: '%s', category: c, positive: x, negative: y}\n"
    Path("c.yaml").write_text(
        "name: c\nprinciples:\n" + principle % ("a", "Be long.") + principle % ("b", "Be short.")
    )
    Path("says.py").write_text(
        'def reply(request):\n    return \'{"contradict": true, "reason": "Length \\\\u001b[2J differs."}\'\n'
    )
    lint = ("constitution", "lint", "c.yaml", "--model", "scripted/pair", "--base-url", "says.py:reply")
    done = symposia(*lint)
    assert done.exit_code == 0, done.output
    assert "opinion [suspected-contradiction] scripted/pair thinks that 'a' and 'b' contradict" in done.output
    assert "\x1b" not in done.output
    (finding,) = json.loads(symposia(*lint, "--json").output)
    assert (finding["level"], finding["principles"]) == ("opinion", ["a", "b"])


def test_models_are_listed_and_removed() -> None:
    rows = json.loads(symposia("models", "ls", "--json").output)
    assert {row["name"] for row in rows} == set(KNOWN)
    assert all(row["path"] is None for row in rows)
    assert "symposia models pull smollm2" in symposia("models", "ls").output
    assert "was not here" in symposia("models", "rm", "smollm2").output
    wrong = symposia("models", "pull", "smolm2")
    assert wrong.exit_code != 0
    assert "'smollm2'" in wrong.output


def test_the_doctor_says_what_is_there_and_never_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-123")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = symposia("doctor", "--recipe", "talk.yaml", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["able"] is True
    found = {(check["area"], check["name"]): check for check in told["checks"]}
    assert found["keys", "OPENAI_API_KEY"]["detail"] == "present"
    assert found["keys", "ANTHROPIC_API_KEY"]["status"] == "absent"
    assert found["models", "local/smollm2"]["status"] == "absent"
    assert found["endpoints", "teacher parrot/quick"]["status"] == "ok"
    assert {"python", "extras", "plugins", "disk", "telemetry", "sandboxes", "recipe"} <= {
        area for area, _ in found
    }
    page = symposia("doctor", "--recipe", "talk.yaml").output
    assert "sk-very-secret" not in page + done.output
    assert "can run here" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("parrot/gone", "start the parrot"),
        ("parrot/quick, api_key_env: NOT_SET_ANYWHERE", "export NOT_SET_ANYWHERE"),
        ("parrot/quick, base_url: 'http://127.0.0.1:9/v1'", "start the server"),
        ("parrto/quick", "no backend is called 'parrto'"),
    ],
)
def test_the_doctor_says_what_a_recipe_lacks(change: str, said: str) -> None:
    Path("talk.yaml").write_text(RECIPE.replace("parrot/quick", change))
    done = symposia("doctor", "--recipe", "talk.yaml")
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())


def test_a_missing_library_is_a_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("talk.yaml").write_text(RECIPE + "verifiers: [heavy]\n")
    done = symposia("doctor", "--recipe", "talk.yaml", "--json")
    assert done.exit_code == 1
    lacks = [check for check in json.loads(done.output)["checks"] if check["status"] == "lack"]
    assert [(check["name"], check["todo"]) for check in lacks] == [
        ("verifier heavy", "pip install 'symposia-talk[heavy]'")
    ]


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MY_TEST_KEY", "hush-hush-0815")
    assert read_secret("MY_TEST_KEY") == "hush-hush-0815"
    say("it is hush-hush-0815")
    say_json({"key": "hush-hush-0815"})
    printed = capsys.readouterr().out
    assert "hush-hush" not in printed
    assert printed.count("***") == 2


def test_a_bug_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    def broken() -> None:
        raise KeyError("oops\x1b[2J")

    with pytest.raises(typer.Exit) as left:
        guarded(broken)
    assert left.value.exit_code == 1
    told = capsys.readouterr().err
    assert "bug in Symposia: KeyError" in told
    assert "SYMPOSIA_DEBUG=1" in told
    assert "\x1b[2J" not in told
