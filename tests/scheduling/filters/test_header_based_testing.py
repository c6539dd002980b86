from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.filters.header_based_testing import HEADER, HeaderBasedTestingFilter
from tests.scheduling.examples import query

POOL = [
    Endpoint(address)
    for address in ("10.0.0.1:8000", "10.0.0.1:8001", "10.0.0.2:8000", "[fd00::1]:8000")
]


def kept(value: str) -> list[str]:
    keeper = HeaderBasedTestingFilter()
    return [e.address for e in keeper.keep(query(headers={HEADER: value}), POOL)]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("10.0.0.1:8001", ["10.0.0.1:8001"]),
        ("10.0.0.1", ["10.0.0.1:8000", "10.0.0.1:8001"]),
        (" 10.0.0.2 ,10.0.0.1:8000", ["10.0.0.1:8000", "10.0.0.2:8000"]),
        ("[fd00::1]:8000", ["[fd00::1]:8000"]),
        ("[fd00::1]", ["[fd00::1]:8000"]),
        ("fd00::1", ["[fd00::1]:8000"]),
        ("10.0.0.9", []),
        ("10.0.0", []),
        ("", []),
    ],
)
def test_only_named_endpoints_are_kept(value: str, left: list[str]) -> None:
    assert kept(value) == left


def test_without_the_header_there_are_no_endpoints() -> None:
    assert HeaderBasedTestingFilter().keep(query(), POOL) == []
    assert HeaderBasedTestingFilter.exhausted is Exhausted.NO_ENDPOINTS
