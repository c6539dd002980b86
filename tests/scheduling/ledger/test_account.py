from __future__ import annotations

import pytest

from epp.pool.load import Load
from epp.scheduling.ledger.account import Account, Held
from epp.scheduling.ledger.coefficients import Coefficients

NOW = 100.0


def account() -> Account:
    return Account(1, Coefficients(), NOW)


def opened(books: Account, work_s: float, *, at: float = NOW, prompt: float = 1000.0) -> Held:
    held = Held(books, at=at, chars=4000, prompt=prompt, output=100.0, work_s=work_s)
    books.open(held, 1.0, at)
    return held


def queue(books: Account, now: float) -> float:
    return books.standing.queue_s(now)


def test_prefill_waits_until_the_first_token() -> None:
    books = account()
    one, _ = opened(books, 2.0), opened(books, 3.0)
    assert queue(books, NOW) == 5.0
    books.answered(one, 1.0, NOW)
    assert queue(books, NOW) == 3.0


def test_a_second_is_worked_off_in_a_second_the_first_request_first() -> None:
    books = account()
    one, two = opened(books, 2.0), opened(books, 3.0)
    assert queue(books, NOW + 3.0) == pytest.approx(2.0)
    books.answered(one, 1.0, NOW + 3.0)  # was worked off already
    assert queue(books, NOW + 3.0) == pytest.approx(2.0)
    books.answered(two, 1.0, NOW + 3.0)
    assert queue(books, NOW + 3.0) == 0.0


def test_a_slower_pool_works_it_off_more_slowly() -> None:
    books = account()
    held = Held(books, at=NOW, chars=1, prompt=1.0, output=1.0, work_s=4.0)
    books.open(held, 2.0, NOW)
    assert queue(books, NOW + 4.0) == pytest.approx(2.0)


def test_an_idle_time_is_not_saved_up() -> None:
    books = account()
    opened(books, 1.0, at=NOW + 50.0)
    assert queue(books, NOW + 50.0) == 1.0


def test_the_end_gives_everything_back() -> None:
    books = account()
    held = opened(books, 2.0)
    assert (books.standing.requests, books.standing.held) == (1, 1000.0)
    books.close(held, 1.0, 1100.0, NOW + 0.5)
    assert (books.standing.requests, books.standing.held, queue(books, NOW)) == (0, 0.0, 0.0)


def test_a_second_end_takes_nothing_from_others() -> None:
    books = account()
    one, _ = opened(books, 2.0), opened(books, 2.0)
    books.close(one, 1.0, 0.0, NOW)
    books.close(one, 1.0, 0.0, NOW)
    assert (len(books), books.standing.held, queue(books, NOW)) == (1, 1000.0, 2.0)


def test_requests_whose_answer_began_decode() -> None:
    books = account()
    one, _ = opened(books, 2.0), opened(books, 2.0)
    books.answered(one, 1.0, NOW)
    assert (books.standing.requests, books.standing.decoding) == (2, 1)


def test_the_predicted_time_is_of_the_queue_as_it_was_at_the_pick() -> None:
    books = account()
    opened(books, 2.0)
    held = opened(books, 1.0, at=NOW + 1.0)
    assert held.predicted_s == pytest.approx(2.0, rel=0.1)


def test_the_room_is_what_the_cache_has_less_what_is_held_and_half_of_what_will_come() -> None:
    books = account()
    opened(books, 1.0, prompt=1000.0)
    books.read(Load(NOW, running=1, waiting=0, blocks=1000, block_size=16), 1.0, NOW)
    assert books.standing.room == pytest.approx(0.95 * 16_000 - 1000 - 50)


def test_other_clients_requests_count_after_three_readings() -> None:
    books = account()
    opened(books, 1.0, prompt=1000.0)
    for reading in range(3):
        books.read(Load(NOW + reading, running=5, waiting=0), 1.0, NOW + reading)
    assert books.standing.requests == 5
    assert books.standing.held == pytest.approx(5000.0)  # as large as those that are known


def test_what_the_cache_holds_tells_how_large_other_clients_requests_are() -> None:
    books = account()
    opened(books, 1.0, prompt=1000.0)
    for reading in range(3):
        load = Load(NOW, running=5, waiting=0, kv_cache_usage=0.5, blocks=1000, block_size=16)
        books.read(load, 1.0, NOW + reading)
    assert books.standing.held == 8000.0


def test_a_restart_clears_what_waited_there() -> None:
    books = account()
    opened(books, 50.0)
    for reading in range(4):
        books.read(Load(NOW + reading, running=0, waiting=0), 1.0, NOW + reading)
    assert (books.standing.requests, books.standing.held, queue(books, NOW + 3.0)) == (0, 0, 0)


def test_tokens_are_to_compute_until_the_first_token_whatever_the_clock_says() -> None:
    books = account()
    one = Held(books, at=NOW, chars=1, prompt=900.0, output=1.0, work_s=1.0, uncached=700.0)
    books.open(one, 1.0, NOW)
    two = opened(books, 1.0, at=NOW + 5.0)
    assert books.standing.to_compute == 700.0 + two.uncached
    books.answered(one, 1.0, NOW + 5.0)
    assert books.standing.to_compute == two.uncached
    books.close(two, 1.0, 0.0, NOW + 6.0)
    assert books.standing.to_compute == 0.0


def test_a_token_takes_longer_where_much_prefill_comes_in_between() -> None:
    books = account()
    assert books.standing.token_s == books.standing.step_s
    opened(books, 10.0)
    busy = 10.0 / 20.0
    assert books.standing.token_s == pytest.approx(books.standing.step_s / (1.0 - busy) ** 0.5)
    opened(books, 1000.0)
    assert books.standing.token_s < 3 * books.standing.step_s
