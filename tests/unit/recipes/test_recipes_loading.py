from __future__ import annotations

from pathlib import Path

import pytest

from support.fakeparts import fake_host
from symposia.errors import PluginError, RecipeError, SymposiaError, UsageError
from symposia.host import Host
from symposia.recipes import LoadedRecipe, load_mapping, load_recipe

GOOD = """\
graph: fake
samples: 7
source: rows
roles:
  teacher: {model: scripted/echo}
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return fake_host(tmp_path / "plugin")


def test_a_local_model_that_nobody_knows_is_named_with_its_place(here: Path) -> None:
    recipe = (
        GOOD.replace("fake", "qa").replace("rows", "{use: jsonl, path: x}").replace("scripted/echo", "local/smolm2")
    )
    error = refusal(recipe, Host())
    assert "my.yaml:5:13: roles.teacher.model: no local model is called 'smolm2'" in error.message
    assert "did you mean 'smollm2'?" in error.hint
    params = recipe.replace("local/smolm2", "local/smollm2, backend_params: {contxt: 9}")
    error = refusal(params, Host())
    assert "my.yaml:5:52: roles.teacher.backend_params.contxt: unknown key" in error.message
    assert "'context'" in error.hint
    own = recipe.replace("local/smolm2", "local/models/mine.gguf")
    assert load(own, Host()).recipe.roles.teacher.model_name == "models/mine.gguf"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
    return name


def load(text: str, host: Host, *overrides: str) -> LoadedRecipe:
    return load_recipe(write("my.yaml", text), host=host, overrides=overrides)


def refusal(text: str, host: Host, *overrides: str) -> SymposiaError:
    with pytest.raises(SymposiaError) as caught:
        load(text, host, *overrides)
    assert caught.value.exit_code == 2
    return caught.value


def test_a_recipe_is_named_after_its_file(host: Host) -> None:
    loaded = load_recipe(write("My Notes_2.yaml", GOOD.replace("rows", "{use: rows, path: x}")), host=host)
    assert loaded.recipe.name == "my-notes-2"
    assert loaded.recipe.samples == 7
    assert loaded.base == Path()


def test_values_come_in_layers_and_say_where_from(host: Host) -> None:
    text = "extends: qa\nname: mine\nsamples: 9\nroles:\n  teacher: {max_tokens: 50}\n"
    loaded = load(text, host, "seed=4", "verifiers=[grounded]")
    recipe, origins = loaded.recipe, loaded.origins
    assert (recipe.name, recipe.samples, recipe.seed) == ("mine", 9, 4)
    assert recipe.roles.teacher.temperature == 0.9
    assert recipe.roles.teacher.max_tokens == 50
    assert [verifier.use for verifier in recipe.verifiers] == ["grounded"]
    assert origins["samples"] == "my.yaml:3:1"
    assert origins["roles.teacher.max_tokens"] == "my.yaml:5:13"
    assert origins["roles.teacher.temperature"].endswith("qa.yaml:8:35")
    assert origins["seed"] == "--set seed"
    assert origins["limits.in_flight"] == "default"


def test_name_and_description_are_not_inherited(host: Host) -> None:
    recipe = load("extends: qa\n", host).recipe
    assert (recipe.name, recipe.description) == ("my", "")


def test_paths_of_a_lower_recipe_are_read_from_its_folder(host: Host) -> None:
    write("deep/base.yaml", GOOD.replace("rows", "{use: rows, path: [a.txt, /b.txt]}") + "constitution: c.yaml\n")
    write("deep/c.yaml", Path(host.text("constitution", "tiny").path).read_text())
    recipe = load("extends: deep/base.yaml\n", host).recipe
    assert recipe.source is not None
    assert recipe.source.params["path"] == [str(Path.cwd() / "deep/a.txt"), "/b.txt"]
    assert recipe.constitution == str(Path.cwd() / "deep/c.yaml")


def test_paths_of_the_file_itself_stay_as_written(host: Host) -> None:
    loaded = load_recipe(write("deep/r.yaml", GOOD.replace("rows", "{use: rows, path: a.txt}")), host=host)
    assert loaded.recipe.source is not None
    assert loaded.recipe.source.params["path"] == "a.txt"
    assert loaded.base == Path("deep")


def test_paths_on_the_command_line_are_read_from_where_the_user_is(host: Host) -> None:
    name = write("deep/r.yaml", GOOD.replace("rows", "{use: rows, path: a.txt}"))
    loaded = load_recipe(name, host=host, overrides=["source.path=b.txt"])
    assert loaded.recipe.source is not None
    assert loaded.recipe.source.params["path"] == str(Path.cwd() / "b.txt")


def test_another_part_does_not_inherit_parameters(host: Host) -> None:
    recipe = load("extends: qa\nsource: made-up\n", host).recipe
    assert recipe.source is not None
    assert recipe.source.params == {}


def test_another_backend_does_not_inherit_the_address(host: Host) -> None:
    text = GOOD.replace("rows", "{use: rows, path: x}").replace(
        "scripted/echo",
        "scripted/echo, base_url: 'http://h/v1', api_key_env: KEY, options: {a: 1}, max_tokens: 9",
    )
    teacher = load(text, host, "roles.teacher.model=served/m").recipe.roles.teacher
    assert (teacher.model, teacher.base_url, teacher.api_key_env) == ("served/m", None, None)
    assert (teacher.options, teacher.max_tokens) == ({}, 9)
    same = load(text, host, "roles.teacher.model=scripted/other").recipe.roles.teacher
    assert same.base_url == "http://h/v1"


def test_a_star_sets_every_mapping(host: Host) -> None:
    text = (
        "extends: qa\nroles:\n  critic: {model: scripted/c}\n  judges: [{model: scripted/j}, {model: scripted/k}]\n"
    )
    roles = load(
        text, host, "roles.*.model=served/m", "roles.judges.*.model=served/n", "roles.judges.0.use=rubric"
    ).recipe.roles
    assert roles.critic is not None
    assert [roles.teacher.model, roles.critic.model] == ["served/m", "served/m"]
    assert [judge.model for judge in roles.judges] == ["served/n", "served/n"]
    assert roles.reviser is None


@pytest.mark.parametrize(
    ("change", "where", "what", "hint"),
    [
        ("sampels: 3\n", "my.yaml:6:1: sampels: ", "unknown key", "did you mean 'samples'?"),
        ("limits: {in_flite: 3}\n", "my.yaml:6:10: limits.in_flite: ", "unknown key", "'in_flight'"),
        ("review: {policy: uncertian}\n", "my.yaml:6:10", "'uncertian' is not possible", "'uncertain'"),
        ("seed: often\n", "my.yaml:6:1", "must be a whole number, not 'often'", ""),
        ("limits: {in_flight: 0}\n", "my.yaml:6:10", "must be at least 1, not 0", ""),
        ("verifiers: [lenght]\n", "my.yaml:6:13", "no verifier is called 'lenght'", "'length'"),
        ("verifiers: [{use: length, min_wrods: 3}]\n", "my.yaml:6:27", "unknown key", "'min_words'"),
        ("verifiers:\n- {use: length, unit: word}\n", "my.yaml:7:17", "'word' is not possible", "'words'"),
        ("parameters: {dificulty: x}\n", "my.yaml:6:14: parameters.dificulty", "unknown key", "'difficulty'"),
        ("constitution: tinny\n", "my.yaml:6:1", "no constitution is called 'tinny'", "'tiny'"),
        ("constitution: no.yaml\n", "my.yaml:6:1", "no.yaml: there is no such file", ""),
        ("personas: everday\n", "my.yaml:6:1", "no personas is called 'everday'", "'everyday'"),
        ("exports: [parkay]\n", "my.yaml:6:11", "no exporter is called 'parkay'", "jsonl"),
        ("novelty: {use: exakt}\n", "my.yaml:6:11", "no index is called 'exakt'", "'exact'"),
        ("novelty: {embedder: wordlama}\n", "my.yaml:6:11", "no embedder", "'wordllama'"),
        ("api_key: sk-12345678\n", "my.yaml:6:1", "a recipe holds no secrets", "api_key_env"),
        ("name: 3\n", "my.yaml:6:1", "must be a text, not 3", "put it in quotes"),
        ("description: no\n", "my.yaml:6:1", "must be a text, not false", "YAML reads yes, no"),
        ("extends: nothing-like-it\n", "my.yaml:6:1: extends", "no recipe is called", "qa"),
        ("extends: my.yaml\n", "my.yaml:6:1: extends", "extends itself", "circle"),
        ("limits: {in_flight: 8, window: 2}\n", "my.yaml:6:1: limits", "window (2) must be at least", ""),
    ],
)
def test_a_mistake_is_named_with_its_place(host: Host, change: str, where: str, what: str, hint: str) -> None:
    error = refusal(GOOD.replace("rows", "{use: rows, path: x}") + change, host)
    assert where in error.message
    assert what in error.message
    assert hint in error.hint
    assert "sk-12345678" not in str(error)


@pytest.mark.parametrize(
    ("model", "hint"),
    [("smollm2", "<backend>/<model>"), ("scriptd/echo", "'scripted'")],
)
def test_a_wrong_model_is_named(host: Host, model: str, hint: str) -> None:
    error = refusal(GOOD.replace("rows", "{use: rows, path: x}").replace("scripted/echo", model), host)
    assert "my.yaml:5:13: roles.teacher.model" in error.message
    assert hint in error.hint


def test_all_mistakes_are_named_at_once(host: Host) -> None:
    error = refusal(GOOD.replace("samples", "sampels").replace("roles", "rolls"), host)
    assert "3 problems" in error.message
    for part in ("my.yaml:2:1: sampels", "my.yaml:4:1: rolls", "roles: is missing"):
        assert part in error.message


@pytest.mark.parametrize(
    "line",
    [
        "base_url: 'http://ann:pw123@host/v1'",
        "api_key_env: sk-live-123456",
        "options: {headers: {Authorization: Bearer abc}}",
    ],
)
def test_secrets_are_refused_and_not_repeated(host: Host, line: str) -> None:
    text = GOOD.replace("scripted/echo}", f"scripted/echo, {line}}}").replace("rows", "{use: rows, path: x}")
    error = refusal(text, host)
    assert "my.yaml:5:" in error.message
    for secret in ("pw123", "sk-live", "Bearer abc"):
        assert secret not in str(error)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "my.yaml is empty"),
        ("# nothing\n", "my.yaml is empty"),
        ("- a\n", "my.yaml:1:1: a list where a recipe was expected"),
        ("hello\n", "a single value where a recipe was expected"),
        ("null\n", "my.yaml is empty"),
        ("graph: fake\n\tsamples: 1\n", "my.yaml:2:1"),
    ],
)
def test_what_is_no_recipe_is_refused(host: Host, text: str, what: str) -> None:
    assert what in refusal(text, host).message


def test_a_name_nobody_ships_is_answered_with_near_ones(host: Host) -> None:
    with pytest.raises(PluginError, match="no recipe is called 'qaa'") as caught:
        load_recipe("qaa", host=host)
    assert "'qa'" in caught.value.hint
    write("notes.yaml", GOOD)
    with pytest.raises(RecipeError) as other:
        load_recipe("notes", host=host)
    assert "notes.yaml" in other.value.hint
    with pytest.raises(RecipeError, match="is a folder"):
        load_recipe(".", host=host)


def test_a_shipped_recipe_is_read_from_its_own_folder(host: Host) -> None:
    loaded = load_recipe("qa", host=host)
    assert loaded.recipe.name == "fake-qa"
    assert (loaded.base / "data.jsonl").is_file()


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("samples", "not of the form key=value"),
        ("=3", "not of the form key=value"),
        ("samples.x=3", "samples is a single value"),
        ("verifiers.7.use=a", "has no item '7'"),
        ("roles.teacher.temprature=1", "--set roles.teacher.temprature: roles.teacher.temprature: unknown key"),
        ("samples=[", "--set samples"),
        ("roles.teacher.api_key=sk-1", "no secrets"),
    ],
)
def test_a_bad_override_is_named(host: Host, override: str, what: str) -> None:
    error = refusal("extends: qa\n", host, override)
    assert what in error.message
    assert isinstance(error, (UsageError, RecipeError))


def test_a_mapping_from_python_is_a_recipe_too(host: Host) -> None:
    loaded = load_mapping({"extends": "qa", "samples": 2, "verifiers": ("length",)}, host=host, base=Path.cwd())
    assert loaded.recipe.samples == 2
    assert loaded.recipe.source is not None
    assert Path(str(loaded.recipe.source.params["path"])).is_file()
    with pytest.raises(RecipeError, match="recipe: sampels: unknown key"):
        load_mapping({"extends": "qa", "sampels": 2}, host=host, base=Path.cwd())
