from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.rounds import Rounds
from tests.scheduling.examples import endpoint


def pool(count: int) -> tuple[Endpoint, ...]:
    return tuple(endpoint(number) for number in range(count))


def test_a_small_pool_has_its_turn_at_once_and_only_once() -> None:
    rounds, few = Rounds(), pool(3)
    assert list(rounds.take(few)) == list(few)
    assert list(rounds.take(few)) == []


def test_a_large_pool_has_its_turn_in_parts() -> None:
    rounds, many = Rounds(), pool(150)
    parts = [list(rounds.take(many)) for _ in range(4)]
    assert [len(part) for part in parts] == [64, 64, 22, 0]
    assert [one for part in parts for one in part] == list(many)


def test_another_view_of_the_pool_is_looked_at_from_where_the_last_ended() -> None:
    rounds = Rounds()
    rounds.take(pool(150))
    assert next(iter(rounds.take(pool(150)))).name == "pod-64"


def test_a_pool_that_may_change_meanwhile_is_looked_at_each_time() -> None:
    rounds, few = Rounds(), list(pool(3))
    assert list(rounds.take(few)) == list(rounds.take(few)) == few


def test_the_same_view_can_be_asked_for_again() -> None:
    rounds, few = Rounds(), pool(3)
    rounds.take(few)
    rounds.again()
    assert list(rounds.take(few)) == list(few)
