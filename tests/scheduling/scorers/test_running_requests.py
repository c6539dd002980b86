from __future__ import annotations

from epp.scheduling.scorers.running_requests import RunningRequestsScorer
from tests.scheduling.examples import endpoint, query, unknown


def test_the_fewest_running_requests_are_best() -> None:
    pool = [endpoint(1, running=8), endpoint(2, running=2), endpoint(3, running=5), unknown(4)]
    assert RunningRequestsScorer().score(query(), pool) == [0.0, 1.0, 0.5, 0.0]


def test_a_server_that_does_not_tell_gets_what_the_others_have() -> None:
    pool = [endpoint(1, running=8), endpoint(2, waiting=0), endpoint(3, running=2), unknown(4)]
    assert RunningRequestsScorer().score(query(), pool) == [0.0, 0.5, 1.0, 0.0]


def test_waiting_requests_do_not_count() -> None:
    pool = [endpoint(1, running=1, waiting=9), endpoint(2, running=2, waiting=0)]
    assert RunningRequestsScorer().score(query(), pool) == [1.0, 0.0]
