from __future__ import annotations

import pytest

from epp.scheduling.prefix.truth import CacheTruth

A, B = "10.0.0.1:8000", "10.0.0.2:8000"


def taught(predicted: float, reported: int, times: int = 100) -> CacheTruth:
    truth = CacheTruth()
    for _ in range(times):
        truth.learn(A, predicted, reported)
    return truth


def test_predictions_that_come_true_are_trusted() -> None:
    assert taught(1000.0, 1000).trust == {}


def test_less_by_up_to_half_is_what_a_busy_server_evicts() -> None:
    assert taught(1000.0, 510).trust == {}


def test_an_endpoint_that_has_less_is_trusted_by_its_share() -> None:
    assert taught(1000.0, 300).trust == {A: pytest.approx(0.3)}


def test_more_than_was_predicted_makes_up_for_nothing() -> None:
    truth = CacheTruth()
    for reported in [0, 0, 5000] * 100:
        truth.learn(A, 1000.0, reported)
    assert truth.trust[A] == pytest.approx(1 / 3, abs=0.05)


def test_a_few_predictions_prove_nothing() -> None:
    assert taught(1000.0, 0, times=4).trust == {}


def test_an_index_that_is_right_again_is_trusted_again() -> None:
    truth = taught(1000.0, 0)
    for _ in range(200):
        truth.learn(A, 1000.0, 1000)
    assert truth.trust == {}


def test_a_fact_of_an_earlier_request_does_not_change() -> None:
    truth = taught(1000.0, 300)
    earlier = truth.trust
    told = dict(earlier)
    truth.learn(A, 1000.0, 1000)
    truth.learn(B, 1e6, 0)
    truth.forget(A)
    assert earlier == told


def test_the_figures_say_how_right_the_index_was() -> None:
    (figure,) = taught(1000.0, 300).figures("trust")
    assert (figure.name, figure.address) == ("trust", A)
    assert figure.value == pytest.approx(0.3)


def test_an_endpoint_that_left_has_no_record() -> None:
    truth = taught(1000.0, 300)
    truth.forget(A)
    assert (truth.trust, truth.figures("trust")) == ({}, [])
