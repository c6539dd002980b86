from __future__ import annotations

import pytest

from epp.demo.scoreboard import Figures, Scoreboard, figures
from epp.demo.traffic import Answer


def answer(replica: str, first_token_s: float, *, cached: int = 0, error: str = "") -> Answer:
    return Answer(replica, first_token_s, first_token_s + 1, cached, 100, error)


def test_without_answers_every_figure_is_zero() -> None:
    assert figures([]) == Figures(0, 0, 0.0, 0.0, 0.0, 0.0)


def test_errors_are_counted_apart_and_have_no_times() -> None:
    found = figures([answer("a", 0.2), answer("", 9.0, error="timeout")])
    assert (found.answers, found.errors, found.first_token_p90_s) == (1, 1, 0.2)


def test_quantiles_are_times_that_were_measured() -> None:
    found = figures([answer("a", n / 10) for n in range(10)])
    assert (found.first_token_p50_s, found.first_token_p90_s) == (0.5, 0.9)
    assert found.whole_mean_s == pytest.approx(1.45)


def test_the_cached_share_is_of_all_prompt_tokens() -> None:
    assert figures([answer("a", 1, cached=100), answer("a", 1)]).cached_share == 0.5


def test_a_board_keeps_replicas_apart() -> None:
    board = Scoreboard()
    for name in ("a", "b", "a"):
        board.tell(answer(name, 0.1))
    assert (board.of("a").answers, board.of("b").answers, board.of("c").answers) == (2, 1, 0)
    assert board.all().answers == 3
