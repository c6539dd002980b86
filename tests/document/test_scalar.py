from __future__ import annotations

import math

import pytest

from epp.document.scalar import scalar


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        (".inf", math.inf),
    ],
)
def test_words_that_are_not_text(word: str, value: object) -> None:
    assert scalar(word) == value
    assert type(scalar(word)) is type(value)


def test_nan_is_a_number_like_none() -> None:
    assert math.isnan(scalar(".nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "word", ["yes", "on", "off", "n", "12:30", "2026-01-01", "1_000", "0b1", "nan", "inf"]
)
def test_what_older_yaml_takes_for_something_else_is_text(word: str) -> None:
    assert scalar(word) == word


def test_a_number_too_long_for_an_integer_is_a_float() -> None:
    assert scalar("9" * 5000) == math.inf
