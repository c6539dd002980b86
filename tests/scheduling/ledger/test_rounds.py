from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.rounds import Rounds
from tests.scheduling.examples import endpoint


def pool(count: int) -> tuple[Endpoint, ...]:
    return tuple(endpoint(number) for number in range(count))


def test_a_small_pool_has_its_turn_at_once_and_only_once() -> None:
    rounds, few = Rounds(), pool(3)
    assert list(rounds.take(few, 1.0)) == list(few)
    assert list(rounds.take(few, 2.0)) == []


def test_a_large_pool_has_its_turn_in_parts() -> None:
    rounds, many = Rounds(), pool(150)
    parts = [list(rounds.take(many, now)) for now in (1.0, 2.0, 3.0, 4.0)]
    assert [len(part) for part in parts] == [64, 64, 22, 0]
    assert [one for part in parts for one in part] == list(many)


def test_the_parts_are_as_large_as_the_time_since_the_last_one() -> None:
    rounds, many = Rounds(), pool(500)
    rounds.take(many, 1.0)
    assert len(list(rounds.take(many, 1.0001))) == 8
    assert len(list(rounds.take(many, 1.0041))) == 20
    assert len(list(rounds.take(many, 1.5))) == 64


def test_another_view_of_the_pool_is_looked_at_from_where_the_last_ended() -> None:
    rounds = Rounds()
    rounds.take(pool(150), 1.0)
    assert next(iter(rounds.take(pool(150), 2.0))).name == "pod-64"


def test_a_pool_that_may_change_meanwhile_is_looked_at_each_time() -> None:
    rounds, few = Rounds(), list(pool(3))
    assert list(rounds.take(few, 1.0)) == list(rounds.take(few, 2.0)) == few


def test_the_same_view_can_be_asked_for_again() -> None:
    rounds, few = Rounds(), pool(3)
    rounds.take(few, 1.0)
    rounds.again()
    assert list(rounds.take(few, 2.0)) == list(few)
