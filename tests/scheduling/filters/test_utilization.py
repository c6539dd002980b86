from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.filters.utilization import Condition, UtilizationFilter
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight
from epp.scheduling.registry import filters
from tests.scheduling.examples import endpoint, query, stale, unknown


def kept(pool: list[Endpoint], *conditions: Condition, fallback: bool = False) -> list[Endpoint]:
    return UtilizationFilter(conditions, fallback).keep(query(), pool)


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        ("running-requests", "running"),
        ("waiting-queue", "waiting"),
        ("kv-cache-utilization", "kv_cache_usage"),
    ],
)
def test_endpoints_above_the_limit_are_dropped(metric: Any, field: str) -> None:
    pool = [endpoint(1, **{field: 2}), endpoint(2, **{field: 1}), endpoint(3, **{field: 0})]
    assert kept(pool, Condition(metric, 1.0)) == pool[1:]


def test_requests_in_flight_are_those_of_this_picker() -> None:
    pool = [unknown(1), unknown(2)]
    counts = InFlight({(pool[0].address, 1): 5})
    keeper = UtilizationFilter((Condition("active-requests", 4),))
    assert keeper.needs() == (INFLIGHT,)
    assert keeper.keep(query(facts={INFLIGHT: counts}), pool) == [pool[1]]


def test_other_metrics_need_no_producer() -> None:
    assert UtilizationFilter((Condition("waiting-queue", 4),)).needs() == ()


def test_every_condition_must_be_met() -> None:
    pool = [
        endpoint(1, waiting=9, kv_cache_usage=0.1),
        endpoint(2, waiting=0, kv_cache_usage=0.9),
        endpoint(3, waiting=0, kv_cache_usage=0.1),
    ]
    limits = Condition("waiting-queue", 5), Condition("kv-cache-utilization", 0.8)
    assert kept(pool, *limits) == [pool[2]]


def test_without_conditions_all_are_kept() -> None:
    pool = [unknown(1), endpoint(2, waiting=99)]
    assert kept(pool) == pool


def test_an_endpoint_of_unknown_load_gives_way_to_one_that_is_known_to_have_room() -> None:
    pool = [unknown(1), endpoint(2, waiting=1), stale(3, waiting=0)]
    assert kept(pool, Condition("waiting-queue", 5)) == [pool[1]]


def test_a_metric_that_a_server_does_not_tell_is_not_held_against_it() -> None:
    pool = [endpoint(1, waiting=1), endpoint(2, waiting=1, kv_cache_usage=0.1), unknown(3)]
    limits = Condition("waiting-queue", 5), Condition("kv-cache-utilization", 0.8)
    assert kept(pool, *limits) == pool[:2]


def test_an_endpoint_of_unknown_load_is_better_than_one_that_is_known_to_be_busy() -> None:
    pool = [unknown(1), endpoint(2, waiting=9)]
    assert kept(pool, Condition("waiting-queue", 5)) == [pool[0]]


def test_an_endpoint_that_is_busy_by_one_metric_is_dropped_though_another_is_unknown() -> None:
    pool = [endpoint(1, waiting=9)]
    assert kept(pool, Condition("waiting-queue", 5), Condition("running-requests", 5)) == []


def test_if_all_are_busy_none_is_kept_and_the_pool_is_saturated() -> None:
    assert kept([endpoint(1, waiting=9)], Condition("waiting-queue", 5)) == []
    assert UtilizationFilter.exhausted is Exhausted.SATURATED


def test_if_all_are_busy_the_fallback_keeps_all() -> None:
    pool = [endpoint(1, waiting=9), endpoint(2, waiting=8)]
    assert kept(pool, Condition("waiting-queue", 5), fallback=True) == pool


def test_the_fallback_changes_nothing_while_one_has_room() -> None:
    pool = [endpoint(1, waiting=9), endpoint(2, waiting=0)]
    assert kept(pool, Condition("waiting-queue", 5), fallback=True) == [pool[1]]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"metric": "gpu", "maxValue": 1}, "metric"),
        ({"metric": "waiting-queue", "maxValue": -1}, "maxValue"),
        ({"metric": "waiting-queue"}, "maxValue"),
        ({"metric": "waiting-queue", "maxValue": 1, "minValue": 0}, "minValue"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_at_load(
    condition: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        filters.make("utilization-filter", {"conditions": [condition]})
