from __future__ import annotations

import pytest

from epp.scheduling.scorers.kv_cache import KVCacheScorer
from tests.scheduling.examples import endpoint, query, stale, unknown


def test_the_free_share_is_the_score() -> None:
    pool = [endpoint(number, kv_cache_usage=used) for number, used in enumerate([0.0, 0.25, 1.0])]
    assert KVCacheScorer().score(query(), pool) == [1.0, 0.75, 0.0]


@pytest.mark.parametrize(("used", "score"), [(1e308, 0.0), (1.5, 0.0), (-0.5, 1.0)])
def test_a_share_that_cannot_be_is_cut_to_the_range(used: float, score: float) -> None:
    assert KVCacheScorer().score(query(), [endpoint(1, kv_cache_usage=used)]) == [score]


def test_a_cache_of_a_server_of_unknown_load_is_not_empty() -> None:
    pool = [unknown(1), stale(2, kv_cache_usage=0.0)]
    assert KVCacheScorer().score(query(), pool) == [0.0, 0.0]


def test_a_server_that_does_not_tell_gets_what_the_others_have() -> None:
    pool = [
        unknown(1),
        endpoint(2, kv_cache_usage=0.5),
        endpoint(3, waiting=0),
        endpoint(4, kv_cache_usage=0.25),
        stale(5, kv_cache_usage=0.0),
    ]
    assert KVCacheScorer().score(query(), pool) == [0.0, 0.5, 0.625, 0.75, 0.0]


def test_where_no_server_tells_all_are_alike() -> None:
    pool = [endpoint(1, waiting=3), endpoint(2, waiting=0), unknown(3)]
    assert KVCacheScorer().score(query(), pool) == [0.5, 0.5, 0.0]
