from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.document.node import Node
from epp.document.problem import Problem
from epp.document.read import MAX_BYTES, MAX_DEPTH, read, read_all


def root(text: str) -> Node:
    found = read(text.encode())
    assert isinstance(found, Node), found
    return found


def problem(content: str | bytes) -> Problem:
    found = read(content.encode() if isinstance(content, str) else content)
    assert isinstance(found, Problem), found
    return found


def test_every_value_knows_its_line() -> None:
    found = root("a: 1\nb:\n  - x\n  - c:\n      d\n")
    assert found.at("a").line == 1
    assert found.at("b").line == 2
    assert found.at("b", 0).line == 3
    assert found.at("b", 1).line == 4
    assert found.at("b", 1, "c").line == 4  # of the key: its value is on line 5


def test_a_path_that_ends_early_gives_the_last_node_on_it() -> None:
    found = root("a:\n  b: 1\n")
    assert found.at("a", "c", 3).line == 1
    assert found.at("a", "b", "c").line == 2
    assert found.at("z") is found


def test_json_is_read_as_well() -> None:
    assert root('{"a": [1, 2.5, "x", true, null, {"b": ""}]}').plain() == {
        "a": [1, 2.5, "x", True, None, {"b": ""}]
    }


def test_a_key_without_a_value_counts_as_not_written() -> None:
    assert root("a:\nb: ~\nc: ''\n").plain() == {"c": ""}


def test_quotes_and_a_string_tag_make_text() -> None:
    assert root("a: '8000'\nb: !!str 8000\nc: |\n  12\n").plain() == {
        "a": "8000",
        "b": "8000",
        "c": "12\n",
    }


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert root("\ufeffa: 1").plain() == {"a": 1}


def test_an_alias_repeats_its_anchor_at_the_line_of_its_key() -> None:
    found = root("a: &x\n  k: 1\nb: *x\n")
    assert found.plain() == {"a": {"k": 1}, "b": {"k": 1}}
    assert found.at("b").line == 3


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("a: [1\nb: 2", 2, "did not find expected ',' or ']'"),
        ("a: 1\nb: 'x\nc: 3\n", 2, "while scanning a quoted scalar: found unexpected end"),
        ("a: 1\n\tb: 2\n", 2, "found a tab character that violates indentation"),
        ("a: b: c", 1, "mapping values are not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" is here twice (first on line 1)'),
        ("a:\n  - b: 1\n    b: 2\n", 3, 'the key "b" is here twice (first on line 2)'),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("? [a]\n: b\n", 1, "a key must be a word"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "python/object:os.system is not supported"),
        ("a: 1\nb: !new\n  c: d\n", 2, "the tag !new is not supported"),
        ("a: 1\nb: *c\n", 2, "the alias *c stands for nothing yet"),
        ("a: &a\n- 1\n- *a\n", 3, "the alias *a stands for nothing yet"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", 3, "merge keys (<<) are not supported"),
        ("a: 1\nb: \x07\n", 2, "not allowed"),
        (b"a: 1\nb: \xff\n", 2, "this is not UTF-8 text"),
        (b"a: " + b"x" * MAX_BYTES, 1, "the file has more than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(
    content: str | bytes, line: int, text: str
) -> None:
    found = problem(content)
    assert found.line == line
    assert text in found.text


def test_a_million_brackets_are_refused_at_the_first_too_many() -> None:
    assert problem("[\n" * 500_000) == Problem(
        MAX_DEPTH + 2, f"nested more than {MAX_DEPTH} levels deep"
    )


def test_aliases_that_multiply_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    found = problem("\n".join(lines))
    assert "more than 200,000 values, aliases followed" in found.text
    assert found.line == 6


def test_aliases_that_nest_are_bounded() -> None:
    lines = ["a0: &a0 x"]
    lines += [f"a{i}: &a{i} [[[[[[[[[[*a{i - 1}]]]]]]]]]]" for i in range(1, 400)]
    found = problem("\n".join(lines))
    assert found == Problem(5, f"nested more than {MAX_DEPTH} levels deep")


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=20,
)


@given(documents)
def test_what_json_writes_is_read_back(document: object) -> None:
    assert root(json.dumps(document)).plain() == _without_nulls(document)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(content: bytes) -> None:
    assert isinstance(read(content), Node | Problem)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def test_several_documents_are_read_with_the_lines_of_the_file() -> None:
    found = read_all(b"a: 1\n---\n---\nb: &x 2\nc: *x\n...\n---\n- d\n")
    assert isinstance(found, list), found
    assert [node.plain() for node in found] == [{"a": 1}, None, {"b": 2, "c": 2}, ["d"]]
    assert found[2].at("c").line == 5
    assert found[3].at(0).line == 8


def test_a_file_without_documents_has_none() -> None:
    assert read_all(b"") == []
    assert read_all(b"# nothing\n") == []


def test_an_alias_does_not_reach_into_another_document() -> None:
    assert read_all(b"a: &x 1\n---\nb: *x\n") == Problem(3, "the alias *x stands for nothing yet")


def test_one_broken_document_breaks_the_file() -> None:
    found = read_all(b"a: 1\n---\nb: [\n")
    assert isinstance(found, Problem)
    assert found.line == 3
