from __future__ import annotations

import pytest

from epp.config.stranger import stranger
from epp.document.node import Node
from epp.document.problem import Problem
from epp.document.read import read


def looked_at(text: str) -> Problem | None:
    root = read(text.encode())
    assert isinstance(root, Node)
    return stranger(root)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# servers\nendpoints: []\n", 2, "it goes with --endpoints-file"),
        ("apiVersion: v1\nkind: InferencePool\n", 2, 'this is "InferencePool"'),
        ("kind: ConfigMap\n", 1, "stands in its data"),
    ],
)
def test_another_kind_of_file_is_told_where_it_belongs(text: str, line: int, says: str) -> None:
    problem = looked_at(text)
    assert problem is not None
    assert problem.line == line
    assert says in problem.text


@pytest.mark.parametrize(
    "text",
    [
        "kind: EndpointPickerConfig\n",
        "kind: EndpointPickerconfig\n",
        "kind: [x]\n",
        "plugins: []\n",
        "apiVersion: llm-d.ai/v1alpha1\nendpoints: []\n",
        "[]\n",
    ],
)
def test_what_was_meant_as_a_configuration_is_left_to_the_other_checks(text: str) -> None:
    assert looked_at(text) is None
