"""A string, strings, token ids or lists of token ids: the input of completions and embeddings."""

from __future__ import annotations

import msgspec

from epp.openai import prompt
from epp.openai.invalid import Invalid, empty, missing, mistyped
from epp.openai.json_policy import decode

_ABSENT = {b"", b"null"}
_BLANKS = b" \t\r\n"
_EXPECTED = "a string, an array of strings, an array of token ids or an array of such arrays"

_string = msgspec.json.Decoder(str)
_strings = msgspec.json.Decoder(list[str])


def input_text(param: str, value: msgspec.Raw) -> str | Invalid:
    """Return `value` as the prompt; the strings of a batch one after another.

    Token ids are never built: a prompt of 100,000 would take longer than all the rest.
    """
    head = bytes(memoryview(value)[:1])
    if head == b'"':
        return _string_text(param, value)
    if head == b"[":
        return _array_text(param, value)
    return missing(param) if bytes(value) in _ABSENT else mistyped(param, _EXPECTED)


def required_text(param: str, text: str | None) -> str | Invalid:
    """Return `text`, which must be there and not be empty."""
    if text is None:
        return missing(param)
    return prompt.plain(text) if text else empty(param)


def _string_text(param: str, value: msgspec.Raw) -> str | Invalid:
    text = decode(_string, value)
    return text if isinstance(text, Invalid) else required_text(param, text)


def _array_text(param: str, value: msgspec.Raw) -> str | Invalid:
    array = bytes(value)
    match array[1:].lstrip(_BLANKS)[:1]:
        case b"]":
            return empty(param)
        case b'"':
            return _strings_text(param, value)
        case b"[":
            return prompt.token_ids(array) if _only(b"[],", array) else mistyped(param, _EXPECTED)
        case _:
            return (
                prompt.token_ids(array) if _only(b",", array[1:-1]) else mistyped(param, _EXPECTED)
            )


def _strings_text(param: str, value: msgspec.Raw) -> str | Invalid:
    texts = decode(_strings, value)
    if isinstance(texts, Invalid):
        return texts if texts.code == "invalid_json" else mistyped(param, _EXPECTED)
    return prompt.separate([prompt.plain(text) for text in texts])


def _only(marks: bytes, array: bytes) -> bool:
    """Tell whether `array` is of unsigned integers, with `marks` and blanks between them."""
    return not array.translate(None, b"0123456789" + marks + _BLANKS)
