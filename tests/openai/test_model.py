from __future__ import annotations

import pytest

from epp.openai.invalid import Invalid
from epp.openai.model import MODEL_MAX_BYTES, invalid_model, model_name


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, ""), ("m", "m"), (123, "123"), (1.5, "1.5"), (10**30, "1" + "0" * 30)],
)
def test_a_number_is_a_name_too(value: str | float | None, name: str) -> None:
    assert model_name(value) == name


def test_a_boolean_is_not_a_name() -> None:
    assert model_name(value=True) == Invalid(
        "Invalid type for 'model': expected a string.", param="model", code="invalid_type"
    )


@pytest.mark.parametrize("model", ["", "meta-llama/Llama-3.1-8B", "模型", "a b", "m" * 256])
def test_ordinary_names_are_header_values(model: str) -> None:
    assert invalid_model(model) is None


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_no_control_character_is_in_a_name(code: int) -> None:
    invalid = invalid_model(f"a{chr(code)}b")
    assert invalid is not None
    assert "control character" in invalid.message


def test_the_length_counts_in_bytes() -> None:
    assert invalid_model("é" * (MODEL_MAX_BYTES // 2)) is None
    invalid = invalid_model("é" * (MODEL_MAX_BYTES // 2) + "a")
    assert invalid is not None
    assert "256 bytes" in invalid.message


def test_a_lone_surrogate_is_not_unicode() -> None:
    invalid = invalid_model("m\ud800")
    assert invalid is not None
    assert invalid.message == "Invalid 'model': the name is not valid Unicode."


def test_a_refusal_of_a_huge_number_does_not_repeat_it() -> None:
    invalid = model_name(10**400)
    assert isinstance(invalid, Invalid)
    assert "000" not in invalid.message
