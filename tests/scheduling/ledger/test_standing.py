from __future__ import annotations

import pytest

from epp.scheduling.ledger.standing import Standing


def test_the_queue_is_worked_off_as_time_goes_by() -> None:
    standing = Standing(at=10.0, queued_s=3.0, drain=0.5)
    assert [standing.queue_s(now) for now in (10.0, 12.0, 16.0, 99.0)] == [3.0, 2.0, 0.0, 0.0]


def test_what_fits_does_not_wait_and_the_rest_waits_for_what_is_freed() -> None:
    standing = Standing(room=1000.0, freed=500.0)
    assert standing.memory_wait_s(1000.0) == 0.0
    assert standing.memory_wait_s(2000.0) == 2.0


def test_an_endpoint_of_unknown_size_has_room_for_everything() -> None:
    assert Standing().memory_wait_s(1e12) == 0.0


def test_its_rates_say_the_same_multiplied_out() -> None:
    standing = Standing(
        at=10.0, queued_s=3.0, drain=0.5, requests=4, stretch=1.1, speed=2.0, token_s=0.01
    )
    empty_at, queue, _, prefill, requests, token_s = standing.rates()
    now = 12.0
    assert (empty_at - now) * queue == pytest.approx(
        standing.speed * standing.queue_s(now) * standing.stretch
    )
    assert (prefill, requests, token_s) == pytest.approx((2.2, 8.0, 0.01))
