from __future__ import annotations

import re

import pytest

from epp.config.duration import PATTERN, seconds


@pytest.mark.parametrize(
    ("text", "length_s"),
    [("50ms", 0.05), ("2s", 2.0), ("1.5s", 1.5), ("1m30s", 90.0), ("1h", 3600.0), ("0s", 0.0)],
)
def test_a_duration_is_read(text: str, length_s: float) -> None:
    assert re.search(PATTERN, text)
    assert seconds(text) == pytest.approx(length_s)


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "-2s", "2d", "1s2", "two seconds"])
def test_what_is_no_duration_does_not_fit(text: str) -> None:
    assert not re.search(PATTERN, text)
