from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode, too_deep
from epp.openai.request import Request, parse


class Body(msgspec.Struct):
    model: str | None = None


decoder = msgspec.json.Decoder(Body)
_DEEP = 2_000_000  # levels; from Python 3.14 on, 100,000 fit on the stack


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b'{"model": "m"}', "m"),
        (b"\xef\xbb\xbf{}", None),
        (b'{"model": "a", "model": "b"}', "b"),
        (b'{"Model": "a"}', None),
        (b'{"mod\\u0065l": "m"}', "m"),
        (b'{"model": "\\ud83d\\ude00"}', "\N{GRINNING FACE}"),
        (b'{"x": "\xff"}', None),
        (b'{"x": 1e999, "y": %b}' % (b"1" * 5000), None),
        (b' \r\n\t{"x": {"y": [null, true, 1.5e-3]}} ', None),
    ],
)
def test_these_bodies_are_read(body: bytes, model: str | None) -> None:
    assert decode(decoder, body) == Body(model)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"no healthy upstream", "invalid character (byte 4)"),
        (b"", "input data was truncated (byte 0)"),
        (b'{"model": "m"', "input data was truncated (byte 13)"),
        (b'{"model": "m"} x', "trailing characters (byte 16)"),
        (b'{"model": "m",}', "trailing comma in object (byte 14)"),
        (b'{"x": NaN}', "invalid character (byte 6)"),
        (b'{"x": -Infinity}', "invalid character (byte 7)"),
        (b'{"model": "\\ud800 and more text"}', None),
        (b'{"x": "\\udc00 and more text"}', None),
        (b'{"x": "\\ud800\\u0041 and more text"}', None),
        (b'{"model": "\xff"}', "a string is not UTF-8"),
        (b'{"model": "a\nb"}', "invalid character (byte 12)"),
        ('{"model": "m"}'.encode("utf-16"), "invalid character (byte 0)"),
        (b'{"x":' + b"[" * _DEEP, "it is nested too deeply"),
        (b'{"x": %b%b}' % (b"[" * _DEEP, b"]" * _DEEP), "it is nested too deeply"),
    ],
)
def test_malformed_bodies_are_refused_with_the_place(body: bytes, why: str | None) -> None:
    invalid = decode(decoder, body)
    assert isinstance(invalid, Invalid)
    assert (invalid.code, invalid.param, invalid.status) == ("invalid_json", None, 400)
    if why is not None:
        assert invalid.message == f"We could not parse the JSON body of your request: {why}."


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b"[]", "Invalid JSON body: expected `object`, got `array`.", None),
        (b'"secret"', "Invalid JSON body: expected `object`, got `str`.", None),
        (
            b'{"model": ["secret"]}',
            "Invalid type for 'model': expected `str | null`, got `array`.",
            "model",
        ),
    ],
)
def test_values_of_a_wrong_type_are_refused_with_their_field(
    body: bytes, message: str, param: str | None
) -> None:
    assert decode(decoder, body) == Invalid(message, param, "invalid_type")


def test_the_place_is_that_in_the_element_of_an_array() -> None:
    class Outer(msgspec.Struct):
        inner: list[Body]

    invalid = decode(msgspec.json.Decoder(Outer), b'{"inner": [{}, {"model": 5}]}')
    assert isinstance(invalid, Invalid)
    assert invalid.message.startswith("Invalid type for 'inner[1].model': ")
    assert invalid.param == "inner[1].model"


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=8))
def test_no_refusal_repeats_the_body(secret: str) -> None:
    for body in (
        json.dumps({"model": [secret]}),
        json.dumps({"messages": {secret: secret}}),
        json.dumps({"messages": [{"content": [{"text": {secret: 1}}]}]}),
        json.dumps({"messages": secret})[:-1],
    ):
        invalid = parse("/v1/chat/completions", "", body.encode())
        assert isinstance(invalid, Invalid)
        assert secret not in invalid.message


def test_too_deep_is_a_bad_body() -> None:
    assert too_deep().code == "invalid_json"


# --- against the standard library, which is what Python servers read with ------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
BODIES = st.fixed_dictionaries(
    {"prompt": st.text(st.characters(), min_size=1)},
    optional={"model": st.text(max_size=5) | VALUES, "stream": VALUES, "extra": VALUES},
)
PIECES = st.sampled_from(
    [
        b'{"model":',
        b'"a"',
        b'"b"',
        b'"prompt"',
        b":",
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"1",
        b" ",
        b'"\\u0061"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b"NaN",
        b"-0",
        b"1e5",
        b"\xff",
        b"\xc3\xa9",
        b"\n",
    ]
)


def standard(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"))
    except ValueError:
        return None


def has_what_the_policy_refuses(value: Any) -> bool:
    """Tell whether a value has what Python's json reads though RFC 8259 has no such thing."""
    if isinstance(value, str):
        return any(0xD800 <= ord(character) < 0xE000 for character in value)
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(has_what_the_policy_refuses(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(has_what_the_policy_refuses(part) for part in value)


@settings(deadline=None)
@given(BODIES, st.booleans(), st.sampled_from([None, 1]))
def test_what_the_standard_library_writes_is_read_alike(
    fields: dict[str, Any], ensure_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(fields, ensure_ascii=ensure_ascii, indent=indent)
    body = text.encode(errors="surrogatepass")
    read = parse("/v1/completions", "", body)
    if has_what_the_policy_refuses(fields):
        return
    model = fields.get("model")
    for field in ("model", "stream"):
        if isinstance(fields.get(field), (list, dict)):
            assert isinstance(read, Invalid)
            return
    if model is None or (isinstance(model, str) and model.isprintable()):
        assert isinstance(read, Request)
        assert read.model == (model or "")
        assert read.prompt == fields["prompt"].replace("\x1e", "\x1e-")
        assert read.stream is (fields.get("stream") is True)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b'{"model":"a","model":"b"}')
@example(b'{"model":"a"}}')
def test_arbitrary_bytes_are_never_understood_differently(body: bytes) -> None:
    ours = decode(decoder, body)
    theirs = standard(body)
    if isinstance(ours, Body):
        # Only bytes that are not UTF-8 in what the picker does not read pass here and not there.
        assert theirs is not None or b"\xff" in body
        assert theirs is None or theirs.get("model") == ours.model
    elif isinstance(theirs, dict) and isinstance(theirs.get("model"), str | None):
        assert has_what_the_policy_refuses(theirs) or b"NaN" in body or b"\\ud800" in body
