from __future__ import annotations

import pytest

from epp.scheduling.gate.paces import Paces


def learned(paces: Paces, address: str, observed_s: float, predicted_s: float, times: int) -> None:
    for _ in range(times):
        paces.learn(address, observed_s, predicted_s)


def test_without_evidence_nothing_is_said() -> None:
    paces = Paces()
    assert paces.of("a") is None
    paces.learn("a", 0.02, 0.01)
    assert paces.of("a") is None


def test_an_endpoint_has_its_own_pace() -> None:
    paces = Paces()
    learned(paces, "slow", 0.04, 0.02, 30)
    learned(paces, "fast", 0.02, 0.02, 30)
    assert paces.of("slow") == pytest.approx(2.0)
    assert paces.of("fast") == pytest.approx(1.0)


def test_an_endpoint_without_a_pace_has_that_of_the_pool() -> None:
    paces = Paces()
    learned(paces, "a", 0.03, 0.02, 30)
    assert paces.of("new") == pytest.approx(1.5)


def test_older_evidence_counts_less() -> None:
    paces = Paces()
    learned(paces, "a", 0.02, 0.02, 200)
    learned(paces, "a", 0.08, 0.02, 300)
    pace = paces.of("a")
    assert pace is not None
    assert pace > 3.5


@pytest.mark.parametrize(("observed_s", "predicted_s"), [(0.0, 0.02), (0.02, 0.0), (-1.0, 0.02)])
def test_what_cannot_be_is_not_learned(observed_s: float, predicted_s: float) -> None:
    paces = Paces()
    learned(paces, "a", observed_s, predicted_s, 50)
    assert paces.of("a") is None


def test_a_wild_measurement_is_bounded() -> None:
    paces = Paces()
    learned(paces, "a", 3600.0, 0.02, 50)
    assert paces.of("a") == 20.0


def test_an_endpoint_that_left_is_forgotten() -> None:
    paces = Paces()
    learned(paces, "a", 0.08, 0.02, 60)
    learned(paces, "b", 0.02, 0.02, 60)
    paces.forget("a")
    assert paces.of("a") == paces.of("other")
