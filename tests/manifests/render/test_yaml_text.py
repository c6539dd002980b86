from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from epp.document.node import Node
from epp.document.read import read
from epp.manifests.render.yaml_text import Noted, write


def _writable(items: list[Any]) -> bool:
    return all(isinstance(i, str) for i in items) or all(i and isinstance(i, dict) for i in items)


# Without what YAML has a meaning for as a key.
TEXTS = st.text(max_size=12).filter(lambda text: text.isprintable() and text != "<<")
SCALARS = TEXTS | st.integers() | st.booleans()
VALUES = st.recursive(
    SCALARS,
    lambda inside: (
        st.lists(inside, min_size=1, max_size=3).filter(_writable)
        | st.dictionaries(TEXTS, inside, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_again_by_two_readers(value: dict[str, Any]) -> None:
    text = write(value)

    assert yaml.safe_load(text) == value
    root = read(text.encode())
    assert isinstance(root, Node), root
    assert root.plain() == value


def test_words_that_mean_something_else_are_quoted() -> None:
    words = ["yes", "no", "on", "null", "true", "1", "1.5", "0x1", "1e3", "1:30", "", "a: b", "#a"]
    assert yaml.safe_load(write({"a": words})) == {"a": words}


def test_usual_texts_are_not_quoted() -> None:
    text = write({"a": "600s", "b": "x.y/z:1.0", "c": "--pool=a/b", "d": "None", "e": "50Mi"})
    assert '"' not in text


def test_a_comment_stands_above_its_key() -> None:
    assert write({"a": {"b": Noted(1, "why"), "c": [{"d": Noted("e", "more")}]}}) == (
        "a:\n  # why\n  b: 1\n  c:\n    # more\n    - d: e\n"
    )


def test_an_item_can_have_a_comment() -> None:
    assert write({"a": ["b", Noted("c", "why")]}) == "a:\n  - b\n  # why\n  - c\n"
    assert write({"a": [Noted({"b": 1, "c": 2}, "why")]}) == ("a:\n  # why\n  - b: 1\n    c: 2\n")


def test_a_long_comment_is_broken_between_words() -> None:
    lines = write({"a": Noted(1, "word " * 50)}).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 98 for line in lines)
    assert all(line.startswith("# word") for line in lines[:-1])
