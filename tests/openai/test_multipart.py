from __future__ import annotations

import email.policy
from email.message import MIMEPart

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.openai.multipart import FormBody, read_form
from epp.openai.request import Invalid, Request, parse

PATH = "/v1/audio/transcriptions"
TYPE = "multipart/form-data; boundary=b0undary"
SOUND = b"RIFF\x00\r\n--not\r\n--b0undary2\r\n\xff"


def field(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def sound(value: bytes = SOUND, name: str = "file") -> bytes:
    return field(name, value, '; filename="a.wav"\r\nContent-Type: audio/wav')


def form(*fields: bytes) -> bytes:
    return b"".join(fields) + b"--b0undary--\r\n"


def understood(body: bytes, content_type: str = TYPE) -> Request:
    request = parse(PATH, content_type, body)
    assert isinstance(request, Request), request
    return request


def test_an_upload_says_its_model_and_prompt() -> None:
    body = form(
        sound(), field("model", b"whisper"), field("prompt", b"Names: Ann"), field("x", b"1")
    )
    request = understood(body)
    assert (request.operation, request.model, request.stream) == ("transcription", "whisper", False)
    assert request.prompt.startswith("Names: Ann\x1e@file:")
    assert "RIFF" not in request.prompt


def test_a_translation_is_asked_for_alike() -> None:
    read = parse("/v1/audio/translations", TYPE, form(field("model", b"m")))
    assert read == Request("translation", "m")


def test_equal_sounds_make_equal_prompts() -> None:
    first, again, other = (understood(form(sound(s))).prompt for s in (SOUND, SOUND, SOUND + b"!"))
    assert first == again != other


@pytest.mark.parametrize(("value", "stream"), [(b"true", True), (b"True", True), (b"false", False)])
def test_the_word_true_asks_for_a_stream(value: bytes, stream: bool) -> None:
    assert understood(form(field("stream", value))).stream is stream


def test_of_equal_names_the_last_counts() -> None:
    assert understood(form(field("model", b"a"), field("model", b"b"))).model == "b"


def test_a_value_may_be_empty_and_a_form_too() -> None:
    assert understood(form(field("model", b""), sound(b""))) == Request("transcription")
    assert understood(form()) == Request("transcription")


def test_a_field_may_have_a_head_and_nothing_else() -> None:
    head = b'--b0undary\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
    assert understood(form(head, field("model", b"m"))).model == "m"


def test_a_preamble_and_an_epilogue_are_skipped() -> None:
    assert understood(b"preamble\r\n" + form(field("model", b"m")) + b"epilogue").model == "m"


def test_a_line_that_begins_like_the_boundary_is_not_it() -> None:
    assert isinstance(read_form(TYPE, b"--b0undary2\r\n\r\nx\r\n--b0undary2--\r\n"), Invalid)


def test_a_file_is_never_a_model() -> None:
    assert understood(form(sound(b"m", name="model"))).model == ""


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name="model"',
        b"form-data; name=model",
        b'form-data;name="model"',
        b'FORM-DATA; NAME="model"',
        b'form-data; x="; name=stream"; name="model"',
    ],
)
def test_names_are_found_however_they_are_written(disposition: bytes) -> None:
    body = b"--b0undary\r\nX: y\r\ncontent-disposition : " + disposition + b"\r\n\r\nm\r\n"
    assert understood(form(body)).model == "m"


@pytest.mark.parametrize("head", [b"", b"X: name=model\r\n", b"Content-Disposition: form-data\r\n"])
def test_a_field_without_a_name_is_skipped(head: bytes) -> None:
    assert (
        understood(form(b"--b0undary\r\n" + head + b"\r\nm\r\n", field("model", b"n"))).model == "n"
    )


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="b0undary"',
        "Multipart/Form-Data; charset=utf-8; Boundary=b0undary; x=y",
        'multipart/form-data;boundary="b0undary" ; x=y',
    ],
)
def test_the_boundary_is_found_however_it_is_written(content_type: str) -> None:
    assert understood(form(field("model", b"m")), content_type).model == "m"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "application/json; boundary=b0undary",
        "multipart/form-data; boundary=",
    ],
)
def test_without_a_boundary_a_form_is_refused(content_type: str) -> None:
    invalid = parse(PATH, content_type, form(field("model", b"m")))
    assert isinstance(invalid, Invalid)
    assert (invalid.code, invalid.status) == ("invalid_form", 400)


def test_a_boundary_that_is_not_unicode_is_just_not_found() -> None:
    assert isinstance(parse(PATH, "multipart/form-data; boundary=\ud800", form()), Invalid)


WHOLE = form(field("model", b"m"), sound())


@pytest.mark.parametrize("end", [0, 5, 30, 65, 80, len(WHOLE) - 20, len(WHOLE) - 4])
def test_a_form_that_is_cut_off_is_refused(end: int) -> None:
    assert parse(PATH, TYPE, WHOLE[:end]) == Invalid(
        "We could not parse the form of your request: the form is not complete.",
        code="invalid_form",
    )


def test_a_form_of_countless_fields_is_refused() -> None:
    assert isinstance(read_form(TYPE, form(*[field("x", b"")] * 63)), FormBody)
    assert read_form(TYPE, form(*[field("x", b"")] * 65)) == Invalid(
        "We could not parse the form of your request: the form has more than 64 fields.",
        code="invalid_form",
    )


def test_a_head_of_great_length_is_refused() -> None:
    assert isinstance(read_form(TYPE, form(field("x", b"", "; y=" + "y" * 9000))), Invalid)


@pytest.mark.parametrize("name", ["model", "prompt"])
def test_values_are_utf_8(name: str) -> None:
    assert understood(form(field(name, "é".encode()))) is not None
    invalid = parse(PATH, TYPE, form(field(name, b"\xff")))
    assert isinstance(invalid, Invalid)
    assert invalid.param == name


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x1e")), st.binary())
def test_forms_of_the_standard_library_are_read(prompt: str, data: bytes) -> None:
    whole = MIMEPart(policy=email.policy.HTTP.clone(cte_type="8bit"))
    whole.add_header("Content-Type", "multipart/form-data")
    for name, value in {"prompt": prompt.encode(), "file": data}.items():
        part = MIMEPart(policy=email.policy.HTTP)
        part.set_payload(value.hex())
        filename = {"filename": "a.wav"} if name == "file" else {}
        part.add_header("Content-Disposition", "form-data", name=name, **filename)
        whole.attach(part)
    head, _, body = whole.as_bytes().partition(b"\r\n\r\n")
    read = read_form(head.decode().partition(": ")[2].replace("\r\n", ""), body)
    assert isinstance(read, FormBody)
    assert read.prompt == prompt.encode().hex()
    assert bool(read.files) == bool(data)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_answer(body: bytes) -> None:
    assert isinstance(read_form(TYPE, body), Invalid | FormBody)
    assert isinstance(read_form(TYPE, form(body)), Invalid | FormBody)
