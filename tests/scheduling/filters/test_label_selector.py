from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.registry import filters
from tests.scheduling.examples import query

A = Endpoint("a:1", labels={"role": "decode", "zone": "x"})
B = Endpoint("b:1", labels={"role": "prefill", "zone": "x"})
C = Endpoint("c:1", labels={"zone": "y"})


def kept(**parameters: Any) -> str:
    keeper = filters.make("label-selector-filter", parameters)
    return "".join(e.address[0] for e in keeper.keep(query(), [A, B, C]))


def test_an_empty_selector_keeps_all() -> None:
    assert kept() == "abc"


@pytest.mark.parametrize(
    ("labels", "left"),
    [({"zone": "x"}, "ab"), ({"zone": "x", "role": "decode"}, "a"), ({"role": ""}, "")],
)
def test_all_labels_must_match(labels: dict[str, str], left: str) -> None:
    assert kept(matchLabels=labels) == left


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ({"operator": "In", "values": ["decode", "both"]}, "a"),
        ({"operator": "NotIn", "values": ["decode"]}, "bc"),
        ({"operator": "Exists"}, "ab"),
        ({"operator": "DoesNotExist"}, "c"),
    ],
)
def test_an_expression_means_what_it_means_in_kubernetes(
    expression: dict[str, Any], left: str
) -> None:
    assert kept(matchExpressions=[{"key": "role", **expression}]) == left


def test_labels_and_all_expressions_must_match() -> None:
    not_decode = {"key": "role", "operator": "NotIn", "values": ["decode"]}
    exists = {"key": "role", "operator": "Exists"}
    assert kept(matchLabels={"zone": "x"}, matchExpressions=[not_decode]) == "b"
    assert kept(matchExpressions=[not_decode, exists]) == "b"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ({"operator": "In"}, "In of 'role' needs values"),
        ({"operator": "NotIn", "values": []}, "NotIn of 'role' needs values"),
        ({"operator": "Exists", "values": ["x"]}, "Exists of 'role' takes no values"),
        ({"operator": "DoesNotExist", "values": ["x"]}, "DoesNotExist of 'role' takes no values"),
        ({"operator": "Like", "values": ["x"]}, "operator"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused_at_load(
    expression: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        kept(matchExpressions=[{"key": "role", **expression}])


def test_to_drop_all_means_that_there_are_no_endpoints() -> None:
    assert filters.make("label-selector-filter", {}).exhausted is Exhausted.NO_ENDPOINTS
