from __future__ import annotations

from typing import Any

import pytest

from epp.scheduling.filters.prefix_cache_affinity import PrefixCacheAffinityFilter
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.query import Query
from epp.scheduling.registry import filters
from tests.scheduling.books import facts
from tests.scheduling.examples import NOW, endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)
POOL = [A, B, C]


def asked(tokens: float = 0.0, **known: Any) -> Query:
    """A has the prompt and so many tokens to compute."""
    standing = Standing(at=NOW, to_compute=tokens, queued_s=tokens / 1000.0)
    return query(facts=facts({A: standing}, {A: 9, B: 5}, **known))


def test_only_those_with_enough_of_the_prompt_stay() -> None:
    assert PrefixCacheAffinityFilter().keep(asked(), POOL) == [A]
    assert PrefixCacheAffinityFilter(affinity_threshold=0.5).keep(asked(), POOL) == [A, B]


def test_if_nobody_has_enough_all_stay() -> None:
    assert PrefixCacheAffinityFilter(affinity_threshold=0.95).keep(asked(), POOL) == POOL


def test_a_wait_that_is_too_long_sets_the_request_free() -> None:
    keeper = PrefixCacheAffinityFilter(max_ttft_penalty_ms=1000.0, peak_prefill_throughput=100.0)
    assert keeper.keep(asked(100.0), POOL) == [A]
    assert keeper.keep(asked(101.0), POOL) == POOL


def test_a_penalty_of_0_never_sets_it_free() -> None:
    assert PrefixCacheAffinityFilter(max_ttft_penalty_ms=0.0).keep(asked(1e9), POOL) == [A]


def test_the_predicted_time_can_stand_for_the_throughput() -> None:
    keeper = PrefixCacheAffinityFilter(max_ttft_penalty_ms=1000.0, ttft_source="latencyPredictor")
    assert keeper.keep(asked(900.0), POOL) == [A]
    assert keeper.keep(asked(1100.0), POOL) == POOL


def test_a_share_of_the_requests_explores() -> None:
    keeper = PrefixCacheAffinityFilter(exploration_probability=0.25)
    free = [keeper.keep(asked(picks=picks), POOL) == POOL for picks in range(2000)]
    assert sum(free) / 2000 == pytest.approx(0.25, abs=0.05)


def test_its_parameters_are_written_as_in_llm_d_router() -> None:
    made = filters.make("prefix-cache-affinity-filter", {"maxTTFTPenaltyMs": 5000})
    assert made == PrefixCacheAffinityFilter(max_ttft_penalty_ms=5000.0)
