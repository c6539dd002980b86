from __future__ import annotations

import pytest

from epp.scheduling.context_range import ContextRange, context_range


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0-2048", ContextRange(0, 2048)),
        (" 2048 - 8192 ", ContextRange(2048, 8192)),
        ("5-5", ContextRange(5, 5)),
        ("8192-2048", None),
        ("2048", None),
        ("a-b", None),
        ("-1-5", None),
        ("1-" + "9" * 5000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_range_is_two_numbers(text: str | None, found: ContextRange | None) -> None:
    assert context_range(text) == found


def test_both_ends_are_inside_and_the_distance_is_to_the_nearer() -> None:
    meant = ContextRange(10, 20)
    assert [tokens in meant for tokens in (9, 10, 20, 21)] == [False, True, True, False]
    assert [meant.distance(tokens) for tokens in (4, 15, 23)] == [6, 0, 3]
