from __future__ import annotations

import pytest

from epp.document.node import Node


@pytest.mark.parametrize(
    ("value", "described"),
    [
        ({}, "a mapping"),
        ([], "a list"),
        (None, "nothing"),
        (True, "true"),
        ("x", '"x"'),
        ("x" * 61, "a long text"),
        (1.5, "1.5"),
    ],
)
def test_a_value_is_described_as_a_reader_would(
    value: str | float | dict[str, Node] | list[Node] | None, described: str
) -> None:
    assert Node(1, value).described() == described
