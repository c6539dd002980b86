from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from random import Random

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai.encodings import expand, is_encoded
from epp.openai.invalid import Invalid
from epp.openai.zstd import zstd

LIMIT = 1000
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def refusal(body: bytes, header: str, limit: int = LIMIT) -> tuple[int, str | None]:
    found = expand(body, header, limit)
    assert isinstance(found, Invalid), found
    return found.status, found.code


@pytest.mark.parametrize("coding", COMPRESS)
@given(body=st.binary(max_size=LIMIT))
def test_what_was_compressed_is_there_again(coding: str, body: bytes) -> None:
    assert expand(COMPRESS[coding](body), coding, LIMIT) == body


@pytest.mark.parametrize("coding", COMPRESS)
def test_a_large_body_is_there_again(coding: str) -> None:
    body = bytes(Random(1).choices(b"abc ", k=3_000_000))
    compressed = COMPRESS[coding](body)
    for limit in (len(body), 2 * len(body)):
        assert expand(compressed, coding, limit) == body


@pytest.mark.parametrize("coding", COMPRESS)
def test_the_limit_is_exact_and_a_bomb_is_never_built(coding: str) -> None:
    compress = COMPRESS[coding]
    assert expand(compress(b"x" * LIMIT), coding, LIMIT) == b"x" * LIMIT
    for size in (LIMIT + 1, 100_000_000):
        assert refusal(compress(b"x" * size), coding) == (413, "request_too_large")


@pytest.mark.parametrize("coding", COMPRESS)
def test_a_cut_body_is_broken_wherever_it_was_cut(coding: str) -> None:
    whole = COMPRESS[coding](b"some text that is compressed " * 9)
    for end in range(1, len(whole)):
        assert refusal(whole[:end], coding) == (400, "invalid_content_encoding")


@pytest.mark.parametrize("coding", COMPRESS)
def test_what_is_not_compressed_is_broken(coding: str) -> None:
    assert refusal(b'{"model": "m"}', coding) == (400, "invalid_content_encoding")


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_follow_each_other_but_not_for_ever(coding: str) -> None:
    compress = COMPRESS[coding]
    assert expand(compress(b"a") + compress(b"b"), coding, LIMIT) == b"ab"
    assert refusal(compress(b"") * 100_000, coding) == (400, "invalid_content_encoding")


def test_one_coding_on_another_is_undone_from_the_last_to_the_first() -> None:
    body = gzip.compress(brotli.compress(b"text"))
    assert expand(body, "br, identity,GZIP", LIMIT) == b"text"
    assert refusal(gzip.compress(gzip.compress(b"x" * 100_000)), "gzip, gzip")[0] == 413


@pytest.mark.parametrize("header", ["compress", "gzip, what", "gzip, gzip, gzip, gzip", "dcb"])
def test_other_codings_are_not_supported(header: str) -> None:
    assert refusal(b"x", header) == (415, "unsupported_content_encoding")


def test_a_zstd_window_that_no_sender_may_presume_is_not_made_room_for() -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    far = zstd.ZstdCompressor(options=options)
    body = far.compress(b"x" * 10) + far.flush()
    assert refusal(body, "zstd") == (400, "invalid_content_encoding")


@pytest.mark.parametrize(
    ("header", "encoded"),
    [("", False), ("identity", False), ("Identity, ", False), ("gzip", True), ("x", True)],
)
def test_a_header_may_say_that_nothing_was_done(header: str, *, encoded: bool) -> None:
    assert is_encoded(header) is encoded
    if not encoded:
        assert expand(b"text", header, LIMIT) == b"text"
