from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.pin import Pin


def test_a_pin_holds_its_address_only() -> None:
    assert Pin("a:1").holds(Endpoint("a:1"))
    assert not Pin("a:1").holds(Endpoint("b:1"))


def test_a_pin_with_a_generation_holds_that_one_only() -> None:
    assert Pin("a:1", 3).holds(Endpoint("a:1", generation=3))
    assert not Pin("a:1", 3).holds(Endpoint("a:1", generation=4))


def test_the_empty_pin_holds_nothing() -> None:
    assert not Pin().holds(Endpoint("a:1"))
