from __future__ import annotations

import math

import pytest

from epp.routing.admission.patience import patience_s


@pytest.mark.parametrize(
    ("prefill_s", "refused", "patience"),
    [(0.0, False, 1.7), (0.7, False, 1.0), (3.0, False, 0.0), (3.0, True, 0.5), (0.7, True, 1.0)],
)
def test_its_own_prefill_is_time_that_it_cannot_wait(
    prefill_s: float, refused: bool, patience: float
) -> None:
    assert patience_s(2.0, prefill_s, refused=refused) == pytest.approx(patience)


def test_without_a_target_nothing_is_late() -> None:
    assert patience_s(math.inf, 1.0, refused=False) == math.inf
