from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai.rewrite import Change, changed

JSON = "application/json"

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=5),
    st.text(st.characters(codec="utf-8")),
)
def test_only_the_model_changes(fields: dict[str, object], model: str) -> None:
    rewritten = changed(json.dumps(fields).encode(), JSON, Change(model or "m"))
    assert rewritten is not None
    assert json.loads(rewritten) == {**fields, "model": model or "m"}


def test_what_stands_inside_stays_byte_for_byte() -> None:
    body = b'{"model" : "a", "messages" : [ {"content" : "\\u00e9", "n": 1.50} ]}'
    assert (
        changed(body, JSON, Change("b"))
        == b'{"model":"b","messages":[ {"content" : "\\u00e9", "n": 1.50} ]}'
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"m"', b"\xff"])
def test_what_is_no_object_is_not_rewritten(body: bytes) -> None:
    assert changed(body, JSON, Change("b")) is None


@pytest.mark.parametrize(
    ("options", "then"),
    [
        ("", '"stream_options":{"include_usage":true}'),
        (', "stream_options": null', '"stream_options":{"include_usage":true}'),
        (
            ', "stream_options": {"a" : [ 1 ], "include_usage": false}',
            '"stream_options":{"a":[ 1 ],"include_usage":true}',
        ),
        (', "stream_options": "what"', '"stream_options":"what"'),
    ],
)
def test_a_stream_is_asked_for_its_usage_and_keeps_its_other_options(
    options: str, then: str
) -> None:
    body = b'{"model": "m", "messages": [ 1 ]' + options.encode() + b"}"
    asked = changed(body, JSON, Change(ask_usage=True))
    assert asked == b'{"model":"m","messages":[ 1 ],' + then.encode() + b"}"


def test_model_and_usage_change_together() -> None:
    asked = changed(b'{"model": "m"}', "", Change("n", ask_usage=True))
    assert asked == b'{"model":"n","stream_options":{"include_usage":true}}'


FORM = "multipart/form-data; boundary=xx"


def form(*parts: tuple[str, bytes]) -> bytes:
    fields = [
        b"--xx\r\ncontent-disposition: form-data; " + head.encode() + b"\r\n\r\n" + value
        for head, value in parts
    ]
    return b"\r\n".join([*fields, b"--xx--\r\n"])


def test_the_model_of_a_form_changes_and_nothing_else() -> None:
    sound = b"RIFF\r\nname=model\r\n\r\n--xxx"
    parts = [('name="file"; filename="model"', sound), ('name="model"', b"a"), ('name="x"', b"1")]
    rewritten = changed(form(*parts), FORM, Change("served"))
    assert rewritten == form(parts[0], ('name="model"', b"served"), parts[2])


def test_every_model_of_a_form_changes_and_one_that_is_empty() -> None:
    rewritten = changed(form(('name="model"', b"a"), ("name=model", b"")), FORM, Change("b"))
    assert rewritten == form(('name="model"', b"b"), ("name=model", b"b"))


@pytest.mark.parametrize("body", [b"", form(("name=x", b"1")), form(("name=model", b"a"))[:-4]])
def test_a_form_that_is_cut_or_has_no_model_is_not_rewritten(body: bytes) -> None:
    assert changed(body, FORM, Change("b")) is None
    assert changed(form(("name=model", b"a")), FORM, Change(ask_usage=True)) is None
