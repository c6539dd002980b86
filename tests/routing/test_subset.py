from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.routing.subset import inside, parse

POOL = [Endpoint(a) for a in ("10.0.0.1:8000", "10.0.0.1:8001", "10.0.0.2:8000", "[fd00::1]:80")]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["a:1", "b:1"], {"a:1", "b:1"}),
        (["a:1, ,b:1"], {"a:1", "b:1"}),
        (["a:1, b:1", " c "], {"a:1", "b:1", "c"}),
        ([], set()),
        (["", " ", ","], set()),
    ],
)
def test_items_may_be_lists_with_commas_and_blanks(items: list[str], expected: set[str]) -> None:
    assert parse(items) == expected


@pytest.mark.parametrize(
    ("subset", "expected"),
    [
        (["10.0.0.1:8001"], ["10.0.0.1:8001"]),
        (["10.0.0.1"], ["10.0.0.1:8000", "10.0.0.1:8001"]),
        (["10.0.0.1:9"], []),
        (["fd00::1"], ["[fd00::1]:80"]),
        (["[fd00::1]"], ["[fd00::1]:80"]),
        (["[fd00::1]:80"], ["[fd00::1]:80"]),
        (["10.0.0.2:8000", "10.0.0.1:8000"], ["10.0.0.1:8000", "10.0.0.2:8000"]),
    ],
)
def test_an_endpoint_is_named_by_address_or_by_host(subset: list[str], expected: list[str]) -> None:
    assert [e.address for e in inside(POOL, subset)] == expected
