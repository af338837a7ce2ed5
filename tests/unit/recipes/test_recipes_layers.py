from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.recipes.layers import Layers
from symposia.records import JsonObject, JsonValue
from symposia.yamldoc import KeyPath

leaves = st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2)
values = st.recursive(
    leaves, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
layers = st.lists(st.dictionaries(st.sampled_from("xyz"), values, max_size=3), min_size=1, max_size=4)


def merged(old: JsonValue, new: JsonValue) -> JsonValue:
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            key: merged(old[key], new[key]) if key in old and key in new else {**old, **new}[key]
            for key in {**old, **new}
        }
    return new


def leaves_of(value: JsonValue, path: KeyPath = ()) -> list[tuple[KeyPath, JsonValue]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves_of(item, (*path, key))]
    return [(path, value)]


def look_up(value: JsonValue, path: KeyPath) -> JsonValue:
    for key in path:
        assert isinstance(value, dict)
        value = value[str(key)]
    return value


@given(layers)
@settings(max_examples=150, deadline=None)
def test_layers_merge_deeply_and_each_value_says_which_layer_said_it(said: list[JsonObject]) -> None:
    stack = Layers()
    expected: JsonValue = {}
    for number, layer in enumerate(said):
        stack.add(layer, lambda path, number=number: f"layer {number}")  # type: ignore[misc]
        expected = merged(expected, layer)
    assert stack.value == expected
    for path, value in leaves_of(stack.value):
        if path:
            number = int(stack.origins[path].removeprefix("layer "))
            assert look_up(said[number], path) == value


@given(layers)
@settings(max_examples=50, deadline=None)
def test_saying_the_same_again_changes_nothing(said: list[JsonObject]) -> None:
    once, twice = Layers(), Layers()
    for layer in said:
        once.add(layer, lambda _: "x")
        twice.add(layer, lambda _: "x")
        twice.add(layer, lambda _: "x")
    assert once.value == twice.value
