from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.producers.observed_latency import ObservedLatencyProducer
from tests.scheduling.examples import NOW, decision, endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)
POOL = [A, B, C]


def made(half_life_s: float = 10.0) -> ObservedLatencyProducer:
    return ObservedLatencyProducer(
        ObservedLatencyProducer.Parameters(half_life_seconds=half_life_s)
    )


def took(
    producer: ObservedLatencyProducer,
    to: Endpoint,
    ttft_s: float | None,
    itl_s: float | None = None,
    *,
    now: float = NOW,
    status: int = 200,
) -> None:
    outcome = Outcome(status, completed=True, ttft_s=ttft_s, itl_s=itl_s)
    picked = decision(to)
    producer.reserve(query(), picked, producer.produce(query(), POOL))
    producer.release(query(), picked, None, outcome, now)


def ttfts(producer: ObservedLatencyProducer, now: float = NOW) -> list[float] | None:
    return producer.produce(query(now=now), POOL).ttft.of(POOL, now)


def test_nothing_is_known_at_first() -> None:
    seen = made().produce(query(), POOL)
    assert seen.ttft.of(POOL, NOW) is None
    assert seen.itl.of(POOL, NOW) is None


def test_many_answers_tell_an_endpoint_s_own_time_and_one_that_is_new_is_as_the_pool() -> None:
    producer = made()
    for _ in range(50):
        took(producer, A, 1.0)
        took(producer, B, 3.0)
    one, other, new = ttfts(producer) or []
    assert one == pytest.approx(1.0, abs=0.15)
    assert other == pytest.approx(3.0, abs=0.15)
    assert new == pytest.approx(2.0, abs=0.15)


def test_the_latest_ten_count_most() -> None:
    producer = made()
    for _ in range(50):
        took(producer, A, 1.0)
    for _ in range(20):
        took(producer, A, 5.0)
    assert (ttfts(producer) or [])[0] > 4.0


def test_what_was_seen_long_ago_gives_way_to_what_is_usual() -> None:
    producer = made(half_life_s=10.0)
    for _ in range(10):
        took(producer, A, 10.0)
    for _ in range(50):
        took(producer, B, 1.0)
    slow = [(ttfts(producer, NOW + s) or [])[0] for s in (0.0, 20.0, 60.0, 200.0)]
    assert slow == sorted(slow, reverse=True)
    assert slow[0] > 7.0
    assert slow[-1] == pytest.approx(1.0, abs=0.1)


def test_tokens_are_averaged_apart() -> None:
    producer = made()
    took(producer, A, None, 0.02)
    seen = producer.produce(query(), POOL)
    assert seen.ttft.of(POOL, NOW) is None
    assert seen.itl.of(POOL, NOW) == pytest.approx([0.02, 0.02, 0.02])


@pytest.mark.parametrize("status", [0, 404, 429, 500, 503])
def test_an_error_that_comes_fast_is_no_fast_answer(status: int) -> None:
    producer = made()
    took(producer, A, 0.001, status=status)
    assert ttfts(producer) is None


def test_one_that_left_the_pool_is_forgotten() -> None:
    producer = made()
    took(producer, A, 5.0, 0.5)
    took(producer, B, 1.0)
    producer.forget(A)
    assert {figure.address for figure in producer.figures()} == {B.address}


def test_an_answer_that_ends_after_its_endpoint_left_is_forgotten_too() -> None:
    producer = made()
    picked = decision(A)
    producer.reserve(query(), picked, producer.produce(query(), POOL))
    producer.forget(A)
    producer.release(query(), picked, None, Outcome(200, True, ttft_s=5.0, itl_s=0.5), NOW)
    assert producer.figures() == []
    assert ttfts(producer) is None


def test_the_averages_are_told() -> None:
    producer = made()
    took(producer, A, 0.5, 0.02)
    told = {(figure.name, figure.address): figure.value for figure in producer.figures()}
    assert told == {
        ("endpoint_mean_ttft_seconds", A.address): pytest.approx(0.5),
        ("endpoint_mean_itl_seconds", A.address): pytest.approx(0.02),
    }
