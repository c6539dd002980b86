from __future__ import annotations

import msgspec
import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers
from epp.scheduling.scorers.active_request import ActiveRequestScorer
from tests.scheduling.examples import query, unknown

POOL = [unknown(1), unknown(2), unknown(3)]


def under_way(*counts: int) -> Query:
    requests = {(e.address, e.generation): n for e, n in zip(POOL, counts, strict=True)}
    return query(facts={INFLIGHT: InFlight(requests)})


def test_an_endpoint_without_requests_is_best_and_the_busiest_worst() -> None:
    assert ActiveRequestScorer().score(under_way(0, 1, 4), POOL) == [1.0, 0.75, 0.0]


def test_up_to_the_threshold_an_endpoint_counts_as_idle() -> None:
    assert ActiveRequestScorer(idle_threshold=2).score(under_way(1, 2, 4), POOL) == [1.0, 1.0, 0.0]


def test_a_busy_endpoint_gets_at_most_the_busy_score() -> None:
    scorer = ActiveRequestScorer(max_busy_score=0.5)
    assert scorer.score(under_way(0, 1, 4), POOL) == [1.0, 0.375, 0.0]


def test_the_busiest_is_the_busiest_candidate_not_the_busiest_of_the_pool() -> None:
    assert ActiveRequestScorer().score(under_way(1, 2, 9), POOL[:2]) == [0.5, 0.0]


def test_requests_of_an_earlier_life_do_not_count() -> None:
    again = [Endpoint(POOL[0].address, generation=2)]
    assert ActiveRequestScorer().score(under_way(5, 0, 0), again) == [1.0]


@pytest.mark.parametrize(
    "parameters", [{"idleThreshold": -1}, {"maxBusyScore": 1.5}, {"maxBusyScore": -0.5}]
)
def test_parameters_out_of_range_are_refused_at_load(parameters: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(parameters))):
        scorers.make("active-request-scorer", parameters)
