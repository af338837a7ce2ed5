from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from support.fakeparts import RECIPE, fake_host
from symposia.recipes import recipe_schema
from symposia.records import JsonObject
from symposia.yamldoc import parse_yaml


@pytest.fixture
def schema(tmp_path: Path) -> JsonObject:
    return recipe_schema(fake_host(tmp_path))


def test_a_good_recipe_follows_the_schema(schema: JsonObject) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(parse_yaml(RECIPE, "r").value, schema)
    jsonschema.validate({"extends": "qa", "novelty": {"use": "exact", "embedder": "wordllama"}}, schema)


@pytest.mark.parametrize(
    "bad",
    [
        {"sampels": 1},
        {"graph": "nothing"},
        {"verifiers": ["lenght"]},
        {"verifiers": [{"use": "length", "min_wrods": 3}]},
        {"verifiers": [{"use": "length", "unit": "pages"}]},
        {"source": {"use": "rows"}},
        {"constitution": "tinny"},
        {"limits": {"in_flight": 0}},
    ],
)
def test_an_editor_sees_mistakes(schema: JsonObject, bad: JsonObject) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, schema)


def test_keys_carry_their_documentation(schema: JsonObject) -> None:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    samples = properties["samples"]
    assert isinstance(samples, dict)
    assert samples["description"] == "Number of ACCEPTED samples to make."
    text = str(schema)
    assert "Fewest words." in text
    assert "Negotiations at once." in text
