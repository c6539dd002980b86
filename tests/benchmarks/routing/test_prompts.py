from __future__ import annotations

import pytest

from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request


def asked(tokens: int, *ids: int) -> Request:
    return Request(0, 0.0, tokens, 1, ids)


def test_a_prompt_has_four_characters_for_each_token() -> None:
    assert len(Prompts().text(asked(1300, 1, 2, 3))) == 5200


def test_equal_spans_are_equal_text_and_others_differ_at_once() -> None:
    one = Prompts().text(asked(1536, 1, 2, 3))
    other = Prompts().text(asked(1536, 1, 2, 4))
    assert one[:4096] == other[:4096]
    assert one[4096:4104] != other[4096:4104]


def test_the_estimate_can_be_off_by_a_share() -> None:
    sizes = [
        len(Prompts(spread=0.3).text(asked(512 * 40, 0, *range(n, n + 39)))) / (2048 * 40)
        for n in range(100)
    ]
    assert all(0.7 <= size <= 1.3 for size in sizes)
    assert max(sizes) - min(sizes) > 0.4


def test_in_one_conversation_it_is_off_by_the_same() -> None:
    prompts = Prompts(spread=0.3)
    shorter = prompts.text(asked(512 * 4, 0, 1, 2, 3))
    longer = prompts.text(asked(512 * 5, 0, 1, 2, 3, 4))
    assert longer.startswith(shorter)


@pytest.mark.parametrize("tokens", [1, 511, 512])
def test_a_prompt_of_one_span_is_cut_to_its_length(tokens: int) -> None:
    assert len(Prompts(spread=0.3).text(asked(tokens, 1))) == 4 * tokens
