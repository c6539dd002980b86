from __future__ import annotations

import pytest

from epp.scheduling.ledger.lengths import Lengths


def test_a_model_that_never_answered_has_four_characters_a_token() -> None:
    assert Lengths().of("llama").tokens_per_char == 0.25


def test_the_characters_of_a_token_are_learned_for_each_model() -> None:
    lengths = Lengths()
    for _ in range(300):
        lengths.learn("chinese", 1000, 800, None)
    assert lengths.of("chinese").tokens_per_char == pytest.approx(0.8, rel=0.05)
    assert lengths.of("english").tokens_per_char == 0.25


def test_the_mean_answer_is_learned_for_each_model() -> None:
    lengths = Lengths()
    for _ in range(300):
        lengths.learn("short", 100, None, 20)
    assert lengths.of("short").output == pytest.approx(20, rel=0.05)
    assert lengths.of("other").output == 256


def test_an_answer_without_usage_teaches_nothing() -> None:
    lengths = Lengths()
    lengths.learn("llama", 100, None, None)
    assert repr(lengths) == "<Lengths of 0 models>"


def test_names_that_clients_make_up_do_not_fill_the_memory() -> None:
    lengths = Lengths()
    for number in range(3000):
        lengths.learn(f"model-{number}", 100, 25, 10)
    assert repr(lengths) == "<Lengths of 1024 models>"
