"""Sources: rows of JSON Lines, passages of documents, and what they say about files that can't be read."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.errors import RecipeError, SourceError
from symposia.host import Host, Workbench
from symposia.records import JsonObject, SourceRow
from symposia_plugins.sources.chunks import count_tokens, pack, sections, sentences

HOST = Host(allow=())


def rows(base: Path, use: str, **params: object) -> list[SourceRow]:
    source = Workbench(HOST, base).build("source", use, json.loads(json.dumps(params)))
    return list(source.rows())


def digest(base: Path, use: str, **params: object) -> str:
    text: str = Workbench(HOST, base).build("source", use, json.loads(json.dumps(params))).digest()
    return text


# -- jsonl ------------------------------------------------------------------------------------------------------


def test_jsonl_reads_lines_past_a_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1, "b": 2}\r\n\r\n  \n{"b": 4, "a": 3}')
    found = rows(tmp_path, "jsonl", path="r.jsonl")
    assert [(row.id, row.fields) for row in found] == [
        ("r.jsonl#1", {"a": 1, "b": 2}),
        ("r.jsonl#4", {"b": 4, "a": 3}),
    ]


def test_jsonl_keeps_only_the_named_fields_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"a": 1, "b": 2, "c": 3}\n')
    assert list(rows(tmp_path, "jsonl", path="r.jsonl", fields=["c", "a"])[0].fields.items()) == [
        ("c", 3),
        ("a", 1),
    ]


@pytest.mark.parametrize(
    ("data", "says", "hint"),
    [
        (b'{"a": 1}\n{"a": }\n', "line 2: not valid JSON", "one JSON object"),
        (b'{"a": 1}\n[1, 2]\n', "line 2: a list instead of an object", "one JSON object"),
        (b'"text"\n', "line 1: a text instead of an object", "one JSON object"),
        (b"null\n", "line 1: a value instead of an object", "one JSON object"),
        (b'{"a": NaN}\n', "line 1: not valid JSON", "one JSON object"),
        (b'{"a": 1}\n{"a": "caf\xe9"}\n', "line 2: not UTF-8", "iconv"),
        (b"", "holds no rows", "one JSON object"),
        (b"\n \n", "holds no rows", "one JSON object"),
        (b'{"b": 1}\n', "line 1: no field 'a'", "known: b"),
        (b'{"a": ' + b'{"a":' * 400 + b"1" + b"}" * 401 + b"\n", "line 1: can't be stored", "simpler"),
    ],
)
def test_jsonl_says_what_is_wrong_and_where(tmp_path: Path, data: bytes, says: str, hint: str) -> None:
    (tmp_path / "r.jsonl").write_bytes(data)
    with pytest.raises(SourceError) as caught:
        rows(tmp_path, "jsonl", path="r.jsonl", fields=["a"])
    assert says in caught.value.message and "r.jsonl" in caught.value.message
    assert hint in caught.value.hint


def test_jsonl_gives_the_rows_before_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"a": 1}\nnope\n')
    source = Workbench(HOST, tmp_path).build("source", "jsonl", {"path": "r.jsonl"})
    stream = source.rows()
    assert next(stream).fields == {"a": 1}
    with pytest.raises(SourceError, match="line 2"):
        next(stream)


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        rows(tmp_path, "jsonl", path="none.jsonl")
    with pytest.raises(SourceError, match="no such file"):
        digest(tmp_path, "jsonl", path="none.jsonl")
    with pytest.raises(SourceError, match="folder"):
        rows(tmp_path, "jsonl", path=".")


def test_the_digest_of_jsonl_follows_bytes_and_fields(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"a": 1}\n')
    first = digest(tmp_path, "jsonl", path="r.jsonl")
    assert digest(tmp_path, "jsonl", path=str(path)) == first
    assert digest(tmp_path, "jsonl", path="r.jsonl", fields=["a"]) != first
    path.write_text('{"a": 2}\n')
    assert digest(tmp_path, "jsonl", path="r.jsonl") != first


# -- documents: cutting -----------------------------------------------------------------------------------------

MARKDOWN = """---
title: front
---
# The Sea

An opening line about the sea and its many waves, long enough to count for a passage.

## Tides *and* currents ##

Tides rise and fall. Dr. Smith measured 3.5 m in 1901! Was it J. Doe? Yes, it was. The moon pulls the water towards
itself, and the sea follows twice a day.

- A first item of a list that has some words.
- A second item of it.

```python
# not a heading
print("tide")
```

Underlined heading
------------------

Under it stands one more paragraph, and it has enough words to be a passage of its own.
"""


def test_markdown_gives_title_and_headings_and_verbatim_passages(tmp_path: Path) -> None:
    (tmp_path / "sea.md").write_text(MARKDOWN, encoding="utf-8")
    found = rows(tmp_path, "documents", path="sea.md")
    assert [row.id for row in found] == ["sea.md#1", "sea.md#2", "sea.md#3"]
    assert {row.fields["title"] for row in found} == {"The Sea"}
    assert [row.fields["heading"] for row in found] == ["", "Tides and currents", "Underlined heading"]
    for row in found:
        assert row.fields["source"] == "sea.md"
        assert str(row.fields["passage"]) in MARKDOWN
        assert "##" not in str(row.fields["passage"]) and "front" not in str(row.fields["passage"])
    assert "# not a heading" in str(found[1].fields["passage"])


def test_sentences_are_told_apart_from_abbreviations_initials_and_decimals(tmp_path: Path) -> None:
    (tmp_path / "sea.md").write_text(MARKDOWN, encoding="utf-8")
    second = rows(tmp_path, "documents", path="sea.md")[1].fields["sentences"]
    assert second == [
        "Tides rise and fall.",
        "Dr. Smith measured 3.5 m in 1901!",
        "Was it J. Doe?",
        "Yes, it was.",
        "The moon pulls the water towards itself, and the sea follows twice a day.",
        "- A first item of a list that has some words.",
        "- A second item of it.",
        "```python",
        "# not a heading",
        'print("tide")',
        "```",
    ]


def test_wide_sentences_end_at_wide_marks() -> None:
    text = "灯塔很高。它是白色的！真的吗？是。"
    assert [text[a:b] for a, b in sentences(text)] == ["灯塔很高。", "它是白色的！", "真的吗？", "是。"]


def test_a_long_section_is_cut_into_even_passages_that_overlap_by_whole_sentences() -> None:
    said = [f"This is sentence number {n} of the long section." for n in range(60)]
    text = " ".join(said)
    found = list(pack(text, sections(text, markdown=False)[0], 100, 20))
    assert len(found) >= 6
    sizes = [passage.tokens for passage in found]
    assert max(sizes) <= 100 and max(sizes) - min(sizes) <= 20
    for before, after in pairwise(found):
        assert after.start < before.end < after.end
        assert count_tokens(text[after.start : before.end]) <= 20
    for passage in found:
        assert text[passage.start : passage.end].startswith("This") and text[passage.end - 1] == "."


def test_a_passage_rather_ends_with_a_paragraph() -> None:
    paragraphs = [" ".join(f"Words of paragraph {p}, sentence {s}." for s in range(9)) for p in range(4)]
    text = "\n\n".join(paragraphs)
    ends = [text[p.start : p.end][-12:] for p in pack(text, sections(text, markdown=False)[0], 90, 0)]
    assert len(ends) == 4 and all(end.endswith("sentence 8.") for end in ends)


WORDS = st.sampled_from(
    ["sea", "light", "1811", "A", "keeper's", "tower.", "Rock!", "灯塔。", "x" * 50, "(so)", "…", "Dr."]
)
BREAKS = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\n- ", "\n# ", "\n```\n", "\n---\n", "\t"])
TEXTS = st.lists(st.tuples(WORDS, BREAKS), max_size=200).map(lambda pairs: "".join(w + b for w, b in pairs))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.booleans(), st.integers(8, 60), st.integers(0, 30))
def test_passages_are_bounded_verbatim_and_leave_nothing_out(
    text: str, markdown: bool, most: int, overlap: int
) -> None:
    overlap = min(overlap, most // 2)
    covered = set[int]()
    bodies = set[int]()
    for section in sections(text, markdown):
        body = {at for line in section.lines for at in range(line.start, line.end) if not text[at].isspace()}
        bodies |= body
        last_end = -1
        for passage in pack(text, section, most, overlap):
            span = range(passage.start, passage.end)
            assert count_tokens(text[passage.start : passage.end]) == passage.tokens <= most
            assert passage.end > last_end, "each passage brings something new"
            assert {at for at in span if not text[at].isspace()} <= body, "no passage reaches over a heading"
            assert (passage.sentences[0][0], passage.sentences[-1][1]) == (passage.start, passage.end)
            covered.update(span)
            last_end = passage.end
    assert bodies <= covered
    if not markdown:
        assert {at for at, char in enumerate(text) if not char.isspace()} <= covered


# -- documents: files -------------------------------------------------------------------------------------------

LONG = "The sea is wide and the light on the rock is seen from many miles away. "


def test_a_folder_is_read_with_its_subfolders_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "sub/c.md", ".hidden.md", ".git/x.md", "picture.png"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LONG)
    found = rows(tmp_path, "documents", path="docs")
    assert [row.id for row in found] == ["a.txt#1", "b.md#1", "sub/c.md#1"]
    assert [row.fields["title"] for row in found] == ["a", "b", "c"]


def test_a_glob_names_files_from_its_fixed_part_on(tmp_path: Path) -> None:
    for name in ("x/1.md", "x/y/2.md", "z/3.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LONG)
    assert [row.id for row in rows(tmp_path, "documents", path="x/**/*.md")] == ["1.md#1", "y/2.md#1"]
    assert [row.id for row in rows(tmp_path, "documents", path="*/*.md")] == ["x/1.md#1", "z/3.md#1"]


@pytest.mark.parametrize(
    ("name", "data", "says", "hint"),
    [
        ("a.txt", b"", "the file is empty", "leave it out"),
        ("a.txt", b"\xef\xbb\xbf \n\t", "the file is empty", "leave it out"),
        ("a.txt", b"PK\x03\x04\x00\x00", "a binary file (zero byte at offset 4)", "text files"),
        ("a.md", "Müller café".encode("cp1252"), "byte 0xfc at offset 1; it looks like WINDOWS-1252", "iconv"),
        ("a.md", "灯台は海を照らす。ひかりはとおい。".encode("cp932"), "it looks like CP932", "iconv"),
        ("a.md", "Маяк стоит на скале".encode("cp1251"), "it looks like WINDOWS-1251", "iconv"),
        ("a.md", "灯塔在海边的岩石上面".encode("gb18030"), "it looks like GB18030", "iconv"),
        ("a.md", "등대는 바다를 비춘다".encode("euc-kr"), "it looks like EUC-KR", "iconv"),
        ("a.md", "Text".encode("utf-16"), "it looks like UTF-16", "iconv"),
        ("a.md", b"\xef\xbb\xbfabc\xff", "at offset 6", "iconv"),
        ("a.md", b"Too short.", "no section has 12 tokens", "min_tokens"),
        ("a.pdf", b"%PDF", "doesn't read '.pdf' files", "text first"),
    ],
)
def test_documents_say_what_is_wrong(tmp_path: Path, name: str, data: bytes, says: str, hint: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        rows(tmp_path, "documents", path=name)
    assert says in caught.value.message
    assert name.partition(".")[0] in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("path", ["none.md", "none/*.md", "empty"])
def test_no_file_at_all_is_an_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError):
        rows(tmp_path, "documents", path=path)


def test_line_ends_are_read_as_newlines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes((LONG + "\r\n" + LONG).encode())
    assert "\r" not in str(rows(tmp_path, "documents", path="a.txt")[0].fields["passage"])


def test_the_digest_of_documents_follows_names_bytes_and_cutting(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(LONG)
    first = digest(tmp_path, "documents", path="a.md")
    assert digest(tmp_path, "documents", path="*.md") == first
    assert digest(tmp_path, "documents", path="a.md", tokens=100) != first
    path.write_text(LONG + "More.")
    assert digest(tmp_path, "documents", path="a.md") != first
    path.write_text(LONG)
    path.rename(tmp_path / "b.md")
    assert digest(tmp_path, "documents", path="b.md") != first


@pytest.mark.parametrize(
    "params", [{"tokens": 20, "overlap": 11}, {"tokens": 8, "min_tokens": 9}, {"tokens": 1}, {"pathh": "x"}]
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, params: JsonObject) -> None:
    with pytest.raises(RecipeError):
        HOST.params("source", "documents", {"path": "a.md", **params})


def test_the_shipped_document_gives_passages_for_many_samples() -> None:
    root = Path(__file__).resolve().parents[3]
    found = rows(root, "documents", path="graphs/symposia_graphs/documents")
    assert len(found) >= 20
    for row in found:
        passage, said = row.fields["passage"], row.fields["sentences"]
        assert isinstance(passage, str) and isinstance(said, list)
        assert 80 <= count_tokens(passage) <= 220
        assert all(isinstance(one, str) and one in passage for one in said)
