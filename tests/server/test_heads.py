"""What the bytes say must be what protobuf reads in them, and the unusual must be left to it."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from epp.server import codec, heads
from epp.server.heads import Fields
from tests.server.envoy import (
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
)

# around each size at which a length takes another byte, of the field, the map or the message
EDGES = [edge + n for edge in (1 << 7, 1 << 14) for n in range(-24, 5)]


def both(data: bytes) -> tuple[codec.Heard | None, codec.Heard]:
    """What is read of the bytes, and what protobuf reads."""
    message = pb.ProcessingRequest.FromString(data)
    return heads.read(data), codec.Heard(codec.event(message), codec.around(message))


@pytest.mark.parametrize(
    "message",
    [
        request_headers(),
        request_headers(end=True),
        request_headers(mode=BodyMode.BUFFERED),
        request_headers(mode=None),
        response_headers(),
        response_headers(end=True),
    ],
)
def test_headers_are_read_as_protobuf_reads_them(message: pb.ProcessingRequest) -> None:
    for _ in range(2):  # the second time they are known
        found, right = both(message.SerializeToString())
        assert found == right


@pytest.mark.parametrize("size", EDGES)
def test_headers_of_every_size_are_read(size: int) -> None:
    message = request_headers()
    message.request_headers.headers.headers.add(key="x-long", raw_value=b"v" * size)
    found, right = both(message.SerializeToString())
    assert found == right


@pytest.mark.parametrize(
    "header",
    [
        core.HeaderValue(key="Upper-Case", raw_value=b"v"),
        core.HeaderValue(key="not-utf-8", raw_value=b"\xff\xfe"),
        core.HeaderValue(key="no-value"),
        core.HeaderValue(key="in-the-old-field", value="v"),
        core.HeaderValue(key="in-both-fields", value="old", raw_value=b"new"),
        core.HeaderValue(raw_value=b"no name"),
        core.HeaderValue(key="ünïcode", raw_value="välue".encode()),
        core.HeaderValue(key="k" * 127, raw_value=b"v"),
        core.HeaderValue(key="k" * 128, raw_value=b"v"),
        core.HeaderValue(),
    ],
)
def test_headers_of_every_kind_are_read(header: core.HeaderValue) -> None:
    message = request_headers()
    message.request_headers.headers.headers.append(header)
    message.request_headers.headers.headers.append(core.HeaderValue(key="last", raw_value=b"v"))
    found, right = both(message.SerializeToString())
    assert found == right


def test_of_a_repeated_header_the_last_value_counts() -> None:
    message = request_headers()
    for value in (b"1", b"2", b"1"):
        message.request_headers.headers.headers.add(key="x-again", raw_value=value)
    found, right = both(message.SerializeToString())
    assert found == right


def test_what_stands_beside_the_headers_is_read_and_known_again() -> None:
    message = request_headers(mode=BodyMode.BUFFERED)
    fields = message.metadata_context.filter_metadata["envoy.lb.subset_hint"].fields
    fields["x-gateway-destination-endpoint-subset"].string_value = "10.0.0.1:8000"
    message.attributes["a"].fields["b"].string_value = "c"
    message.observability_mode = True
    for _ in range(2):
        found, right = both(message.SerializeToString())
        assert found == right
        assert found is not None
        assert found.around == codec.Around((2, 2), ["10.0.0.1:8000"], unheard=True)


@pytest.mark.parametrize(
    "message",
    [
        pb.ProcessingRequest(),
        pb.ProcessingRequest(request_headers=pb.HttpHeaders()),
        pb.ProcessingRequest(request_headers=pb.HttpHeaders(end_of_stream=True)),
        request_body(b"body"),
        response_body(b"body"),
        request_trailers(),
        response_trailers(),
    ],
)
def test_all_other_messages_are_left_to_protobuf(message: pb.ProcessingRequest) -> None:
    assert heads.read(message.SerializeToString()) is None


def test_two_events_in_one_message_are_left_to_protobuf() -> None:
    data = request_headers().SerializeToString() + response_headers().SerializeToString()
    assert heads.read(data) is None


@pytest.mark.parametrize("name", [b"\xff", b"a\xffb"])
def test_a_name_that_is_not_utf_8_is_for_protobuf_to_refuse(name: bytes) -> None:
    field = b"\x0a%c%b\x1a\x01v" % (len(name), name)
    fields = b"\x0a%c%b" % (len(field), field)
    headers = b"\x0a%c%b" % (len(fields), fields)
    data = b"\x12%c%b" % (len(headers), headers)
    assert heads.read(data) is None
    with pytest.raises(DecodeError):
        pb.ProcessingRequest.FromString(data)


def test_a_message_that_ends_too_early_is_left_to_protobuf() -> None:
    data = request_headers().SerializeToString()
    for end in range(len(data)):
        agreed(data[:end])


@given(st.data())
def test_what_is_read_of_any_bytes_is_what_protobuf_reads(lot: Any) -> None:
    """Some bytes of a message that is right, changed."""
    whole = lot.draw(st.sampled_from([request_headers(), response_headers(end=True)]))
    data = bytearray(whole.SerializeToString())
    for _ in range(lot.draw(st.integers(0, 3))):
        place = lot.draw(st.integers(0, len(data) - 1))
        data[place] = lot.draw(st.integers(0, 255))
    agreed(bytes(data))


def agreed(data: bytes) -> None:
    found = heads.read(data)
    if found is not None:
        message = pb.ProcessingRequest.FromString(data)
        assert found == codec.Heard(codec.event(message), codec.around(message))


def test_what_is_remembered_is_bounded_and_what_comes_often_stays() -> None:
    fields = Fields(limit=8)
    again = core.HeaderValue(key="again", raw_value=b"and again")
    for n in range(100):
        other = core.HeaderValue(key="x-request-id", raw_value=b"%d" % n)
        data = core.HeaderMap(headers=[again, other]).SerializeToString()
        assert fields.read(data, 0, len(data)) == {"again": "and again", "x-request-id": f"{n}"}
        assert len(fields) <= 16


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["a", "A", "b"]), st.sampled_from(["", "1", "2", "v" * 200])),
            max_size=5,
        ),
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_headers_after_others_are_read_as_if_they_were_the_first(
    lists: list[list[tuple[str, str]]], limit: int
) -> None:
    fields = Fields(limit)
    for pairs in lists:
        headers = [core.HeaderValue(key=key, raw_value=value.encode()) for key, value in pairs]
        data = core.HeaderMap(headers=headers).SerializeToString()
        read = fields.read(b"before" + data + b"after", 6, 6 + len(data))
        assert read == {key.lower(): value for key, value in pairs}
