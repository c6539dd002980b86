from __future__ import annotations

from epp.scheduling.scorers.queue import QueueScorer
from tests.scheduling.examples import endpoint, query, stale, unknown


def test_the_shortest_queue_is_best() -> None:
    pool = [endpoint(1, waiting=10), endpoint(2, waiting=0), endpoint(3, waiting=5)]
    assert QueueScorer().score(query(), pool) == [0.0, 1.0, 0.5]


def test_equal_queues_are_all_best() -> None:
    pool = [endpoint(1, waiting=4), endpoint(2, waiting=4)]
    assert QueueScorer().score(query(), pool) == [1.0, 1.0]


def test_an_endpoint_of_unknown_load_is_no_better_than_the_longest_queue() -> None:
    pool = [endpoint(1, waiting=9), endpoint(2, waiting=1), unknown(3), stale(4, waiting=0)]
    assert QueueScorer().score(query(), pool) == [0.0, 1.0, 0.0, 0.0]


def test_running_requests_do_not_count() -> None:
    pool = [endpoint(1, waiting=1, running=9), endpoint(2, waiting=2, running=0)]
    assert QueueScorer().score(query(), pool) == [1.0, 0.0]
