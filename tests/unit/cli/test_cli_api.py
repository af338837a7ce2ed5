from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import symposia
from support.cli_plugin import RECIPE, install_plugin
from symposia.errors import RecipeError, UsageError
from symposia.records import Event, Recipe


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "site")))
    (tmp_path / "talk.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_recipe_runs_by_path_by_mapping_and_as_a_record() -> None:
    heard: list[Event] = []
    first = symposia.run("talk.yaml", listeners=[heard.append])
    assert (first.state, first.accepted, first.exit_code) == ("complete", 4, 0)
    assert [sample.payload["text"] for sample in first.samples()][0:1] != []
    assert heard[0].kind == "run_started"
    mapping = yaml.safe_load(RECIPE)
    again = symposia.run(mapping)
    assert again.folder == first.folder
    record = symposia.run(Recipe.model_validate(mapping), new=True, runs="others")
    assert record.folder.parent == Path("others")
    more = symposia.run(Path("talk.yaml"), overrides=["samples=6"])
    assert (more.folder, more.accepted) == (first.folder, 6)


async def test_inside_a_loop_the_twin_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        symposia.run("talk.yaml")
    assert "await symposia.run_async" in caught.value.hint
    assert (await symposia.run_async("talk.yaml")).accepted == 4


def test_what_is_no_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="a int is no recipe"):
        symposia.run(3)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="recipe: sampels: unknown key"):
        symposia.run({**yaml.safe_load(RECIPE), "sampels": 3})
    record = Recipe.model_validate({**yaml.safe_load(RECIPE), "graph": "tlak"})
    with pytest.raises(RecipeError, match="recipe 'talk': graph: no graph is called 'tlak'"):
        symposia.run(record)
    with pytest.raises(UsageError, match="overrides are for"):
        symposia.run(record, overrides=["samples=1"])


def test_load_recipe_is_one_import_away() -> None:
    assert symposia.load_recipe("talk.yaml", host=symposia.Host()).recipe.samples == 4
