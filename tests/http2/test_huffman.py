from __future__ import annotations

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.huffman import decode

encode = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode


@given(st.binary())
def test_what_another_library_encodes_is_read_back(text: bytes) -> None:
    assert decode(encode(text)) == text


def test_every_byte_has_its_code() -> None:
    every = bytes(range(256))
    assert decode(encode(every)) == every


@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff\xff\xff\xff",  # the end of a string, within it
        b"\xff",  # a whole octet of padding
        b"\x1f\xff",  # the same after a letter
        b"\x18",  # padding of zeros
    ],
)
def test_what_no_encoder_writes_is_refused(wrong: bytes) -> None:
    with pytest.raises(Http2ConnectionError) as raised:
        decode(wrong)
    assert raised.value.code is ErrorCode.COMPRESSION_ERROR
