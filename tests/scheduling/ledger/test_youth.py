from __future__ import annotations

from epp.pool.load import Load
from epp.scheduling.ledger.account import Account
from epp.scheduling.ledger.coefficients import Coefficients
from epp.scheduling.ledger.youth import Youth

NOW = 100.0


def telling(running: int) -> Account:
    account = Account(1, Coefficients(), NOW)
    account.read(Load(NOW, running=running, waiting=0), 1.0, NOW)
    return account


def test_a_picker_is_young_while_the_servers_have_requests_that_it_does_not_know() -> None:
    youth, busy = Youth(), [telling(5), telling(5)]
    assert not youth.lasts(busy, NOW)  # it has not begun
    youth.started_at = NOW
    assert youth.lasts(busy, NOW)
    assert youth.lasts(busy, NOW + 9.0)
    assert not youth.lasts(busy, NOW + 11.0)


def test_it_is_as_long_as_requests_take() -> None:
    youth, busy = Youth(), [telling(5)]
    youth.started_at = NOW
    for _ in range(200):
        youth.ended(2.0)
    assert youth.lasts(busy, NOW + 1.9)
    assert not youth.lasts(busy, NOW + 2.1)


def test_a_picker_of_servers_that_are_idle_knows_enough() -> None:
    youth = Youth()
    youth.started_at = NOW
    assert not youth.lasts([telling(0), telling(1)], NOW)
