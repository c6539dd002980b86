from __future__ import annotations

from epp.scheduling.filters.failure_memory import FailureMemoryFilter
from epp.scheduling.producers.failure_memory import FAILURES, Failing
from epp.scheduling.query import Query
from tests.scheduling.examples import endpoint, query

A, B = endpoint(1), endpoint(2)


def asked(*failed: int) -> Query:
    keys = frozenset((endpoint(number).address, 1) for number in failed)
    return query(facts={FAILURES: Failing(keys)})


def test_those_that_failed_are_dropped() -> None:
    assert FailureMemoryFilter().keep(asked(1), [A, B]) == [B]


def test_if_all_failed_all_are_kept() -> None:
    assert FailureMemoryFilter().keep(asked(1, 2), [A, B]) == [A, B]


def test_if_nobody_failed_all_are_kept() -> None:
    assert FailureMemoryFilter().keep(asked(), [A, B]) == [A, B]
