from __future__ import annotations

import random

import pytest

from epp.scheduling.ledger.speeds import Speed, Speeds


def taught(speeds: Speeds, factors: list[float], rounds: int = 200) -> list[Speed]:
    found = [Speed() for _ in factors]
    for _ in range(rounds):
        for speed, factor in zip(found, factors, strict=True):
            speeds.learn(speed, 0.5 * factor, 0.5)
    return found


def test_before_anything_is_observed_the_coefficients_are_right() -> None:
    assert (Speeds().ratio, Speed().factor, Speeds().plausible) == (1.0, 1.0, True)


def test_a_pool_that_is_slower_throughout_has_a_ratio_and_equal_endpoints() -> None:
    speeds = Speeds()
    found = taught(speeds, [2.0] * 4)
    assert speeds.ratio == pytest.approx(2.0, rel=0.1)
    assert [speed.factor for speed in found] == [1.0] * 4


def test_a_slow_endpoint_among_fast_ones_is_found_and_drawn_to_the_pool() -> None:
    speeds = Speeds()
    *_, slow = taught(speeds, [1.0, 1.0, 1.0, 4.0])
    # as a multiple of what the pool takes: less than the observed 4, more than the pool's 1.75
    assert 2.5 < speeds.ratio * slow.factor < 4.0


def test_noise_is_no_difference() -> None:
    speeds, rng = Speeds(), random.Random(1)
    found = [Speed() for _ in range(8)]
    for _ in range(2000):
        speeds.learn(rng.choice(found), 0.5 * rng.uniform(0.6, 1.4), 0.5)
    assert {speed.factor for speed in found} == {1.0}


def test_no_endpoint_is_believed_to_be_more_than_six_times_slower() -> None:
    speeds = Speeds()
    *_, slow = taught(speeds, [1.0] * 20 + [1000.0])
    assert slow.factor <= 6.0
    assert speeds.ratio <= 6.0


def test_a_pool_of_another_order_makes_the_coefficients_implausible() -> None:
    speeds = Speeds()
    taught(speeds, [50.0] * 3)
    assert not speeds.plausible


def test_what_is_forgotten_has_no_weight() -> None:
    speeds = Speeds()
    (slow,) = taught(speeds, [5.0])
    speeds.forget(slow)
    assert speeds.ratio == 1.0


def test_times_that_make_no_sense_teach_nothing() -> None:
    speeds, speed = Speeds(), Speed()
    speeds.learn(speed, -1.0, 1.0)
    speeds.learn(speed, 1.0, 0.0)
    assert (speeds.ratio, speed.factor) == (1.0, 1.0)
