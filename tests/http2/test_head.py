from __future__ import annotations

import pytest

from epp.http2 import hpack
from epp.http2.errors import ErrorCode, Http2StreamError
from epp.http2.head import Head, HeadReader, head
from tests.http2.peer import BLOCK, CALL

FIELDS = [(name.decode(), value.decode()) for name, value in CALL]


def test_what_matters_of_a_call_is_read() -> None:
    extra = [("grpc-timeout", "250m"), ("grpc-encoding", "gzip"), ("content-length", "7")]
    assert head([*FIELDS, *extra]) == Head(
        "POST", "/service/Method", "picker", "application/grpc", "gzip", 0.25, 7
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1H", 3600), ("2M", 120), ("3S", 3), ("4m", 0.004), ("5u", 5e-6), ("6n", 6e-9), ("0S", 0)],
)
def test_a_timeout_has_a_unit(text: str, seconds: float) -> None:
    assert head([*FIELDS, ("grpc-timeout", text)]).timeout_s == pytest.approx(seconds)


def without(name: str) -> list[tuple[str, str]]:
    return [field for field in FIELDS if field[0] != name]


@pytest.mark.parametrize(
    "fields",
    [
        without(":method"),
        without(":path"),
        without(":scheme"),
        [*without(":path"), (":path", "")],
        [*FIELDS, (":path", "/late")],
        [(":path", "/twice"), *FIELDS],
        [(":status", "200"), *FIELDS],
        [(":unknown", "x"), *FIELDS],
        [*FIELDS, ("X-Upper", "x")],
        [*FIELDS, ("", "x")],
        [*FIELDS, ("a b", "x")],
        [*FIELDS, ("connection", "close")],
        [*FIELDS, ("transfer-encoding", "chunked")],
        [*without("te"), ("te", "gzip")],
        [*FIELDS, ("x", "a\r\nb")],
        [*FIELDS, ("x", "a\0b")],
        [*FIELDS, ("x", " a")],
        [*FIELDS, ("grpc-timeout", "soon")],
        [*FIELDS, ("grpc-timeout", "123456789S")],
        [*FIELDS, ("content-length", "-1")],
        [*FIELDS, ("content-length", "٣")],
    ],
)
def test_what_is_no_request_breaks_its_stream(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Http2StreamError) as raised:
        head(fields)
    assert raised.value.code is ErrorCode.PROTOCOL_ERROR


def test_the_host_stands_in_for_the_authority() -> None:
    assert head([*without(":authority"), ("host", "here")]).authority == "here"


def test_a_block_that_was_read_before_is_remembered() -> None:
    reader = HeadReader()
    assert reader.read(BLOCK) is reader.read(BLOCK)


def test_a_block_that_depends_on_the_table_is_read_anew() -> None:
    reader = HeadReader()
    added = b"".join(b"\x40" + hpack.encode(field)[1:] for field in CALL)
    first = reader.read(added)
    assert first == reader.read(added)
    assert len(reader.decoder._entries) == 2 * len(CALL)
    from_table = bytes(0x80 | (62 + n) for n in reversed(range(len(CALL))))
    assert reader.read(from_table) == first
    assert not reader._known


def test_what_is_remembered_is_bounded() -> None:
    reader = HeadReader()
    for n in range(1000):
        reader.read(hpack.encode(*CALL, (b"traceparent", b"%d" % n)))
    assert len(reader._known) <= 128
