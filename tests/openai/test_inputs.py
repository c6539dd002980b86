from __future__ import annotations

import msgspec
import pytest

from epp.openai.inputs import input_text, required_text
from epp.openai.invalid import Invalid, empty, missing


def of(json: bytes) -> str | Invalid:
    return input_text(
        "input", msgspec.json.decode(json, type=msgspec.Raw) if json else msgspec.Raw()
    )


@pytest.mark.parametrize(
    ("json", "text"),
    [
        (b'"Hi"', "Hi"),
        (b'"\\u00e9\\n"', "é\n"),
        (b'["Hi"]', "Hi"),
        (b'[ "Hi", "you"]', "Hi\x1e,you"),
        (b'["", ""]', "\x1e,"),
        (b"[1, 22]", "\x1e#1,22,"),
        (b"[ [1,2],\n[3] ]", "\x1e#[1,2],[3],"),
    ],
)
def test_text_and_token_ids_are_taken(json: bytes, text: str) -> None:
    assert of(json) == text


@pytest.mark.parametrize("json", [b"", b"null"])
def test_no_input_is_missing(json: bytes) -> None:
    assert of(json) == missing("input")


@pytest.mark.parametrize("json", [b'""', b"[]", b"[ ]"])
def test_nothing_in_it_is_empty(json: bytes) -> None:
    assert of(json) == empty("input")


@pytest.mark.parametrize(
    "json",
    [
        b'["a", 1]',
        b'[1, "a"]',
        b"[1, [2]]",
        b"[-1]",
        b"[1.5]",
        b"[true]",
        b"[null]",
        b"[{}]",
        b'[["a"]]',
        b"[[1], null]",
        b"{}",
        b"5",
        b"true",
    ],
)
def test_anything_else_is_of_the_wrong_type(json: bytes) -> None:
    invalid = of(json)
    assert isinstance(invalid, Invalid)
    assert (invalid.param, invalid.code) == ("input", "invalid_type")


@pytest.mark.parametrize("json", [b'"\xff"', b'["\xff"]'])
def test_bytes_that_are_not_text_are_refused(json: bytes) -> None:
    invalid = of(json)
    assert isinstance(invalid, Invalid)
    assert invalid.code == "invalid_json"


def test_a_required_text_is_there_and_not_empty() -> None:
    assert required_text("prompt", "a\x1e") == "a\x1e-"
    assert required_text("prompt", "") == empty("prompt")
    assert required_text("prompt", None) == missing("prompt")
