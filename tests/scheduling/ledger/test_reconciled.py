from __future__ import annotations

from epp.pool.load import Load
from epp.scheduling.ledger.reconciled import Reconciled


def told(books: Reconciled, *counts: int) -> list[int]:
    """The corrections after each of these readings."""
    found = []
    for count in counts:
        books.read(Load(0.0, waiting=0, running=count))
        found.append(books.count)
    return found


def with_ours(count: int) -> Reconciled:
    books = Reconciled()
    books.ours(count)
    books.read(Load(0.0, waiting=0, running=count))
    return books


def test_two_readings_that_disagree_are_a_moment_and_three_are_a_fact() -> None:
    assert told(with_ours(2), 7, 7, 7) == [0, 0, 5]


def test_the_least_of_the_differences_is_believed() -> None:
    assert told(with_ours(2), 9, 5, 7)[-1] == 3


def test_a_reading_that_agrees_in_between_begins_anew() -> None:
    assert told(with_ours(2), 7, 7, 2, 7, 7) == [0] * 5


def test_differences_in_both_directions_are_noise() -> None:
    assert told(with_ours(5), 8, 2, 8, 2, 8, 2) == [0] * 6


def test_what_was_ours_at_any_time_since_the_last_reading_agrees() -> None:
    books = with_ours(0)
    for _ in range(5):
        books.ours(4)
        books.ours(1)
        assert told(books, 3) == [0]


def test_requests_of_others_that_end_are_taken_back() -> None:
    books = with_ours(1)
    assert told(books, 6, 6, 6)[-1] == 5
    assert told(books, 2, 2, 2)[-1] == 1


def test_not_more_than_ours_can_be_gone() -> None:
    books = with_ours(3)
    assert told(books, 0, 0, 0)[-1] == -3
    books.ours(1)
    assert books.count == -1


def test_an_endpoint_that_lost_everything_began_anew() -> None:
    books = with_ours(3)
    assert [books.read(Load(0.0, running=0)) for _ in range(3)] == [False, False, True]


def test_an_idle_endpoint_did_not_begin_anew() -> None:
    books = with_ours(0)
    assert not any(books.read(Load(0.0, running=0)) for _ in range(9))


def test_a_page_without_the_count_says_nothing() -> None:
    books = with_ours(3)
    assert not any(books.read(Load(0.0, waiting=9)) for _ in range(9))
    assert books.count == 0


def test_of_an_endpoint_that_told_nothing_what_is_usual_is_assumed() -> None:
    books = Reconciled()
    books.assume(4)
    assert books.count == 4
