from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load


def test_an_endpoint_is_called_by_its_name() -> None:
    assert str(Endpoint("10.0.0.1:8000", name="llama-0")) == "llama-0"


def test_an_endpoint_without_a_name_is_called_by_its_address() -> None:
    assert str(Endpoint("10.0.0.1:8000")) == "10.0.0.1:8000"


def test_an_endpoint_that_has_never_answered_has_no_fresh_load() -> None:
    assert Endpoint("10.0.0.1:8000").fresh_load(0.0, 2.0) is None


@pytest.mark.parametrize(("now", "fresh"), [(10.0, True), (12.0, True), (12.001, False)])
def test_a_load_is_believed_until_it_is_too_old(now: float, fresh: bool) -> None:
    load = Load(at=10.0, waiting=1)
    assert Endpoint("a:1", load=load).fresh_load(now, 2.0) is (load if fresh else None)


def test_endpoints_are_compared_by_identity() -> None:
    assert Endpoint("a:1") != Endpoint("a:1")
