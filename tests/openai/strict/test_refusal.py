from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from epp.openai.invalid import Invalid
from epp.openai.strict.shape import Shape, checker


class Square(msgspec.Struct, tag_field="kind", tag="square"):
    side: int


class Round(msgspec.Struct, tag_field="kind", tag="round"):
    radius: float


class Picture(Shape):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    shapes: Annotated[list[Square | Round], msgspec.Meta(min_length=1)]
    colour: Literal["red", "blue"] | None = None
    copies: Annotated[int, msgspec.Meta(ge=1)] = 1
    label: str | list[str] | None = None


CHECK = checker(Picture)
GOOD = '{"name": "n", "shapes": [{"kind": "square", "side": 1}]'


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        ("{}", "name", "missing_required_parameter", "Missing required parameter: 'name'."),
        (
            '{"name": "", "shapes": []}',
            "name",
            "empty_value",
            "Invalid 'name': it must not be empty.",
        ),
        (
            '{"name": "n", "shapes": [{"side": 1}]}',
            "shapes[0].kind",
            "missing_required_parameter",
            "Missing required parameter: 'shapes[0].kind'.",
        ),
        (
            '{"name": "n", "shapes": [{"kind": "square", "side": 1}, {"kind": "secret"}]}',
            "shapes[1].kind",
            "invalid_value",
            "Invalid value for 'shapes[1].kind': expected 'round' or 'square'.",
        ),
        (
            '{"name": "n", "shapes": [{"kind": "square", "side": "secret"}]}',
            "shapes[0].side",
            "invalid_type",
            "Invalid type for 'shapes[0].side': expected an integer.",
        ),
        (
            GOOD + ', "colour": "secret"}',
            "colour",
            "invalid_value",
            "Invalid value for 'colour': expected 'blue' or 'red'.",
        ),
        (
            GOOD + ', "copies": 0}',
            "copies",
            "invalid_value",
            "Invalid 'copies': expected an integer >= 1.",
        ),
        (
            GOOD + ', "label": 5}',
            "label",
            "invalid_type",
            "Invalid type for 'label': expected a string or an array.",
        ),
        ("[]", "body", "invalid_type", "Invalid type for 'body': expected an object."),
    ],
)
def test_a_complaint_names_the_place_and_what_would_be_right(
    body: str, param: str, code: str, message: str
) -> None:
    invalid = CHECK("application/json", body.encode())
    assert isinstance(invalid, Invalid)
    assert (invalid.param, invalid.code, invalid.message) == (param, code, message)


def test_what_is_right_is_not_refused() -> None:
    assert CHECK("", GOOD.encode() + b"}") is None


def test_what_is_no_json_is_refused_as_ever() -> None:
    invalid = CHECK("", b"{")
    assert isinstance(invalid, Invalid)
    assert invalid.code == "invalid_json"


def test_a_form_is_for_sound_only() -> None:
    invalid = CHECK("multipart/form-data; boundary=x", b"--x--")
    assert isinstance(invalid, Invalid)
    assert invalid.code == "invalid_form"
