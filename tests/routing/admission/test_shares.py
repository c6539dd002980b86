from __future__ import annotations

from epp.routing.admission.shares import Shares


def test_alone_nobody_has_too_much() -> None:
    shares = Shares()
    shares.add("a", 100.0, 1.0)
    assert not shares.exceeded("a", 1.0)
    assert not shares.exceeded("unknown", 1.0)


def test_clearly_more_than_an_equal_share_is_too_much() -> None:
    shares = Shares()
    for flow, work in {"a": 4.0, "b": 1.0, "c": 1.0}.items():
        shares.add(flow, work, 1.0)
    assert [shares.exceeded(flow, 1.0) for flow in "abc"] == [True, False, False]


def test_a_little_more_is_chance() -> None:
    shares = Shares()
    shares.add("a", 1.4, 1.0)
    shares.add("b", 1.0, 1.0)
    assert not shares.exceeded("a", 1.0)


def test_who_has_gone_shares_no_longer() -> None:
    shares = Shares()
    shares.add("gone", 1.0, 0.0)
    shares.add("a", 1.0, 100.0)
    shares.add("a", 50.0, 101.0)
    assert not shares.exceeded("a", 101.0)


def test_flows_that_clients_invent_are_bounded() -> None:
    shares = Shares()
    for number in range(3000):
        shares.add(f"flow {number}", 1.0, 1.0)
    assert repr(shares) == "<Shares of 1024 flows>"
