from __future__ import annotations

import pytest

from epp.kube.pace import ATTENTIVE, FEW, ReflectorPace


def test_a_dead_connection_is_noticed_within_five_seconds() -> None:
    assert max(ATTENTIVE.watch_s) + ATTENTIVE.late_s < 5.0


def test_the_collections_of_one_pool_do_not_slow_each_other_down() -> None:
    assert ATTENTIVE.among(FEW) == ATTENTIVE


@pytest.mark.parametrize("collections", [FEW + 1, 40, 400])
def test_many_collections_ask_together_no_more_often_than_a_few(collections: int) -> None:
    few, many = ATTENTIVE.among(FEW), ATTENTIVE.among(collections)
    assert collections / many.watch_s[0] == pytest.approx(FEW / few.watch_s[0])


def test_no_watch_is_asked_to_last_longer_than_is_usual() -> None:
    assert ATTENTIVE.among(100_000).watch_s == ReflectorPace().watch_s
