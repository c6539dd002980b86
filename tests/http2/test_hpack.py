from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import hpack as other
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.http2 import hpack
from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.guards import MAX_HEADER_BLOCK_BYTES, MAX_HEADER_LIST_BYTES
from epp.http2.hpack import Decoder

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
NAMES = st.sampled_from([":path", ":method", "te", "x-a", "x-b", "content-type"]) | TEXT
FIELDS = st.lists(st.tuples(NAMES, TEXT), max_size=12)


@given(st.lists(FIELDS, max_size=6), st.booleans())
def test_the_blocks_of_another_library_are_read_in_their_order(
    blocks: list[list[tuple[str, str]]], huffman: bool
) -> None:
    encoder: Any = other.Encoder()
    decoder = Decoder()
    for fields in blocks:
        assert decoder.decode(encoder.encode(fields, huffman=huffman)) == fields


@given(st.lists(FIELDS, min_size=2, max_size=6))
def test_a_peer_that_gives_its_table_up_is_understood_before_and_after(
    blocks: list[list[tuple[str, str]]],
) -> None:
    encoder: Any = other.Encoder()
    decoder = Decoder()
    for n, fields in enumerate(blocks):
        if n == 1:
            encoder.header_table_size = 0
            decoder.limit(0)
        block = encoder.encode(fields)
        assert decoder.decode(block) == fields
        if n:
            assert decoder.decode(block) == fields
        assert decoder.independent or not n


@given(FIELDS)
def test_what_is_written_here_another_library_reads(fields: list[tuple[str, str]]) -> None:
    block = hpack.encode(*((name.encode(), value.encode()) for name, value in fields))
    reader: Any = other.Decoder()
    assert [(str(n), str(v)) for n, v in reader.decode(block)] == fields


def test_long_values_are_written_with_their_length() -> None:
    value = b"x" * 100_000
    reader: Any = other.Decoder(max_header_list_size=200_000)
    [(_, read)] = reader.decode(hpack.encode((b"a", value)))
    assert read == value.decode()


ADD = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"x" * 4000  # "a" and 4,000 letters, to the table


def test_the_table_follows_though_a_list_is_too_long() -> None:
    decoder = Decoder()
    assert decoder.decode(ADD)
    assert decoder.decode(b"\xbe" * 20 + b"\x40\x01b\x01y") is None
    assert decoder.decode(b"\xbe") == [("b", "y")]


def test_a_small_block_cannot_become_a_large_list() -> None:
    decoder = Decoder()
    assert decoder.decode(ADD)
    bomb = b"\xbe" * MAX_HEADER_BLOCK_BYTES  # each octet is the entry of 4,000 letters
    begun = time.process_time()
    with pytest.raises(Http2ConnectionError, match="far too many headers"):
        decoder.decode(bomb)
    assert time.process_time() - begun < 0.001


def test_a_list_up_to_the_limit_is_taken() -> None:
    fits = (MAX_HEADER_LIST_BYTES // 33) * b"\x00\x01a\x00"
    assert len(Decoder().decode(fits) or ()) == MAX_HEADER_LIST_BYTES // 33
    assert Decoder().decode(fits + b"\x00\x01a\x00") is None


def test_the_table_holds_no_more_than_its_size() -> None:
    decoder = Decoder()
    for _ in range(10):
        decoder.decode(ADD)
    assert len(decoder._entries) == 1
    decoder.decode(b"\x40\x01b\x7f\xa1\x1f" + b"y" * 4128)  # larger than the table
    assert not decoder._entries
    assert decoder._size == 0


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\x80", "not in the table"),
        (b"\xbe", "not in the table"),
        (b"\xff\xff\xff\xff\xff\xff\xff", "does not end"),
        (b"\xff\xff", "does not end"),
        (b"\x00", "ends within a field"),
        (b"\x00\x05abc", "longer than its block"),
        (b"\x00\x01a", "ends within a field"),
        (b"\x82\x20", "after a field"),
        (b"\x3f\xe2\x1f", "larger than agreed"),
    ],
)
def test_a_broken_block_breaks_the_connection(block: bytes, reason: str) -> None:
    with pytest.raises(Http2ConnectionError, match=reason) as raised:
        Decoder().decode(block)
    assert raised.value.code is ErrorCode.COMPRESSION_ERROR


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_a_broken_block(block: bytes) -> None:
    with suppress(Http2ConnectionError):
        Decoder().decode(block)


def test_a_table_that_was_given_up_does_not_come_back() -> None:
    decoder = Decoder()
    decoder.limit(0)
    decoder.decode(b"\x20\x82")
    with pytest.raises(Http2ConnectionError, match="larger than agreed"):
        decoder.decode(b"\x3f\x01\x82")


def test_a_peer_that_never_gives_its_table_up_is_understood() -> None:
    decoder = Decoder()
    decoder.decode(ADD)
    decoder.limit(0)
    assert decoder.decode(b"\xbe") == [("a", "x" * 4000)]
    assert not decoder.independent


def test_known_strings_are_bounded() -> None:
    decoder = Decoder()
    encoder: Any = other.Encoder()
    for n in range(3000):
        decoder.decode(encoder.encode([("x", f"value-{n}")]))
    assert len(decoder._strings) <= 1024
