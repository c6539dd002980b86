from __future__ import annotations

from epp.document.node import Node
from epp.document.read import read
from epp.manifests.lint.look import find, items, labels, members, text, whole


def sample() -> Node:
    root = read(b"a:\n  b: [x, {c: 7}]\n  d:\n  e: true\n  f: {g: h, i: 1}\n")
    assert isinstance(root, Node)
    return root


def test_what_is_there_is_found_with_its_line() -> None:
    found = find(sample(), "a", "b", 1, "c")
    assert found is not None
    assert (found.value, found.line) == (7, 2)


def test_what_is_not_there_is_nothing() -> None:
    for path in (("z",), ("a", "z"), ("a", "b", 9), ("a", "b", "x"), ("a", 0), ("a", "e", "x")):
        assert find(sample(), *path) is None


def test_a_key_without_a_value_counts_as_not_there() -> None:
    assert find(sample(), "a", "d") is None


def test_what_is_of_another_type_is_empty() -> None:
    assert items(sample(), "a") == []
    assert members(sample(), "a", "b") == {}
    assert text(sample(), "a", "e") == ""
    assert whole(sample(), "a", "e") is None


def test_values_are_given_in_their_type() -> None:
    assert [item.line for item in items(sample(), "a", "b")] == [2, 2]
    assert text(sample(), "a", "b", 0) == "x"
    assert whole(sample(), "a", "b", 1, "c") == 7
    assert labels(sample(), "a", "f") == {"g": "h"}
