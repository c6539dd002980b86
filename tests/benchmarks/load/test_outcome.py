from __future__ import annotations

import pytest

from benchmarks.load.outcome import Outcome, Seen


def seen(first_s: float, whole_s: float, tokens: int) -> Seen:
    return Seen(first_s, whole_s, tokens, 200)


def test_a_request_counts_that_meets_both_targets() -> None:
    result = Outcome.of(
        [
            seen(0.5, 1.5, 101),  # 10 ms a token
            seen(3.0, 4.0, 101),  # late
            seen(0.5, 10.5, 101),  # slow
            Seen(),  # never answered
        ]
    )
    assert (result.requests, result.failed, result.goodput) == (4, 1, 0.25)
    assert result.ttft_p99 == 3.0


def test_an_error_is_no_answer_and_a_refusal_is_no_error() -> None:
    result = Outcome.of([seen(0.5, 1.5, 101), Seen(None, 0.1, 0, 503), Seen(None, 0.1, 0, 429)])
    assert (result.refused, result.failed, result.goodput) == (1, 1, 1 / 3)


def test_an_answer_of_one_token_has_no_time_between_tokens() -> None:
    assert seen(0.5, 0.6, 1).tpot_s == 0.0


def test_without_any_answer_there_are_no_figures() -> None:
    with pytest.raises(SystemExit, match="no request was answered"):
        Outcome.of([Seen()])
