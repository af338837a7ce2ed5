from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.errors import RecipeError
from symposia.records import JsonValue
from symposia.yamldoc import parse_yaml, read_yaml
from symposia.yamldoc.reading import MAX_BYTES

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=2), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
@settings(max_examples=80, deadline=None)
def test_what_yaml_writes_is_read_back(value: JsonValue) -> None:
    assert parse_yaml(yaml.safe_dump(value, allow_unicode=True), "x").value == value


def test_places_and_spans_point_at_the_text() -> None:
    text = "graph: qa\nroles:\n  teacher: {model: a/b}\nverifiers:\n  - grounded\n  - use: length\n"
    doc = parse_yaml(text, "r.yaml")
    assert str(doc.place(("roles", "teacher", "model"))) == "r.yaml:3:13"
    assert doc.place(("verifiers", 1)).line == 6
    assert doc.place(("verifiers", 1, "nothing")).line == 6
    start, end = doc.spans[("roles", "teacher", "model")]
    assert text[start:end] == "a/b"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a:\n\tb: 1\n", "r.yaml:2:1", "tab"),
        ("a: x\nb: \x00", "r.yaml:2:4", "control character U+0000"),
        ("a: 1\n---\nb: 2\n", "r.yaml:2:1", "second document"),
        ("a: 1\nb: 2\na: 3\n", "r.yaml:3:1", "'a' stands twice (first in line 1)"),
        ("a: !!python/object/apply:os.system [ls]\n", "r.yaml:1:4", ""),
        ("a: !!python/name:os.system x\n", "r.yaml:1:4", "not allowed"),
        ("a: b: c\n", "r.yaml:1:5", "mapping values"),
        ("[" * 200_000, "r.yaml:1:42", "nested deeper"),
        ("on: 1\n", "r.yaml:1:1", "the key on is read as true or false"),
        ("a: .inf\n", "r.yaml:1:4", "finite"),
        ("a: *b\n", "r.yaml:1:4", "no anchor"),
        ("a: &a [*a]\n", "r.yaml:1:8", "no anchor"),
        ("a: [1\n", "r.yaml:2:1", "]"),
    ],
)
def test_a_bad_text_is_refused_with_its_place(text: str, where: str, what: str) -> None:
    if "apply" in text:
        # A list under a foreign tag is read as the plain list that it is: nothing is made of it.
        assert parse_yaml(text, "r.yaml").value == {"a": ["ls"]}
        return
    with pytest.raises(RecipeError) as caught:
        parse_yaml(text, "r.yaml")
    assert where in caught.value.message
    assert what in caught.value.message


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(RecipeError, match="aliases"):
        parse_yaml("\n".join(lines), "r.yaml")


def test_merge_keys_give_way_to_what_is_said() -> None:
    doc = parse_yaml("x: &x {a: 1, b: 2}\ny: {<<: *x, a: 3}\n", "r.yaml")
    assert doc.value == {"x": {"a": 1, "b": 2}, "y": {"a": 3, "b": 2}}


def test_dates_and_clock_times_stay_texts_and_exponents_are_numbers() -> None:
    assert parse_yaml("[2024-01-01, 12:30, 1e-3, '1e-3']", "x").value == ["2024-01-01", "12:30", 0.001, "1e-3"]


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(RecipeError, match=r"latin.yaml:2: not UTF-8 \(byte 0xe9"):
        read_yaml(latin)
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(RecipeError, match="larger than 1024 KiB"):
        read_yaml(large)
    with pytest.raises(RecipeError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="is a folder") as caught:
        read_yaml(tmp_path)
    assert "large.yaml" in caught.value.hint


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path).value == {"a": 1}
