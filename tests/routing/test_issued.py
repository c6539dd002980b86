from __future__ import annotations

from epp.routing.issued import Issued

PICK = ("request-1", "10.0.0.1:8000")


def test_a_pick_is_known_while_it_is_open() -> None:
    issued = Issued()
    assert PICK not in issued
    issued.add(PICK)
    assert PICK in issued
    assert ("request-1", "10.0.0.2:8000") not in issued
    assert ("request-2", "10.0.0.1:8000") not in issued
    issued.remove(PICK)
    assert PICK not in issued
    assert len(issued) == 0


def test_two_requests_of_one_id_are_closed_one_by_one() -> None:
    issued = Issued()
    issued.add(PICK)
    issued.add(PICK)
    issued.remove(PICK)
    assert PICK in issued
    issued.remove(PICK)
    assert PICK not in issued
