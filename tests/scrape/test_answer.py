from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scrape.answer import Answer
from epp.scrape.errors import ScrapeError

PAGE = b"vllm:num_requests_waiting 4\n" * 20


def whole(page: bytes = PAGE, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(page)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + page


def chunked(page: bytes, size: int) -> bytes:
    pieces = [page[at : at + size] for at in range(0, len(page), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\nt: 1\r\n\r\n"


def endless(page: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\n\r\n" + page


def fed(data: bytes, step: int, answer: Answer | None = None) -> bytes | None:
    answer = answer or Answer(1 << 20)
    page = None
    for at in range(0, len(data), step):
        assert page is None
        page = answer.feed(data[at : at + step])
    return page


def kind(data: bytes, max_bytes: int = 1 << 20) -> str:
    with pytest.raises(ScrapeError) as caught:
        fed(data, 1 << 16, Answer(max_bytes))
    return caught.value.kind


@pytest.mark.parametrize("step", [1, 7, 1 << 16])
@pytest.mark.parametrize("data", [whole(), chunked(PAGE, 1), chunked(PAGE, 33)])
def test_a_page_is_whole_however_it_is_framed_and_split(data: bytes, step: int) -> None:
    assert fed(data, step) == PAGE


def test_a_connection_carries_one_answer_after_the_other() -> None:
    answer = Answer(1 << 20)
    for page in (b"a", b"", PAGE):
        answer.begin()
        assert not answer.begun
        assert fed(whole(page), 5, answer) == page
        assert (answer.begun, answer.reusable) == (True, True)


def test_early_hints_are_not_the_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    assert fed(hints + whole(), 9) == PAGE


def test_a_server_that_closes_is_not_asked_again_on_that_connection() -> None:
    answer = Answer(1 << 20)
    assert fed(whole(PAGE, "connection: close"), 50, answer) == PAGE
    assert not answer.reusable


@pytest.mark.parametrize("garbage", [whole(b"another"), b"garbage", b"HTTP/1.1 500 Oh\r\n\r\n"])
def test_what_follows_the_answer_spoils_only_the_connection(garbage: bytes) -> None:
    answer = Answer(1 << 20)
    assert answer.feed(whole() + garbage) == PAGE
    assert not answer.reusable


def test_the_end_of_the_connection_ends_a_page_without_a_length() -> None:
    answer = Answer(1 << 20)
    assert answer.feed(endless(PAGE)) is None
    assert answer.end() == PAGE
    assert not answer.reusable


@pytest.mark.parametrize("data", [whole()[:-1], chunked(PAGE, 9)[:-1], whole()[:10], b""])
def test_the_end_of_the_connection_within_a_page_is_an_error(data: bytes) -> None:
    answer = Answer(1 << 20)
    assert answer.feed(data) is None
    with pytest.raises(ScrapeError) as caught:
        answer.end()
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "204 None", "404 Not Found", "500 Oh", "503 Busy"]
)
def test_anything_but_a_200_is_an_error(status: str) -> None:
    assert kind(whole(b"", "location: http://10.0.0.9/", status=status)) == "status"


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x00\xa5",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot a number\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nx",
    ],
)
def test_what_is_not_http_is_malformed(data: bytes) -> None:
    assert kind(data) == "malformed"


def test_a_page_has_a_greatest_size() -> None:
    assert kind(whole(b"x" * 200_000), 1000) == "too-large"
    assert kind(chunked(b"x" * 200_000, 100), 1000) == "too-large"
    assert kind(endless(b"x" * 200_000), 1000) == "too-large"


def test_a_head_without_end_is_too_large() -> None:
    assert kind(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000) == "too-large"
    assert kind(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000) == "too-large"


@pytest.mark.parametrize("encoding", ["gzip", "GZip", "x-gzip"])
def test_a_page_that_comes_compressed_all_the_same_is_inflated(encoding: str) -> None:
    assert fed(whole(gzip.compress(PAGE), f"content-encoding: {encoding}"), 9) == PAGE


def gzip_bomb(mebibytes: int) -> bytes:
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    one = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + one * mebibytes


def test_a_gzip_bomb_is_inflated_no_further_than_a_page_may_be_large() -> None:
    bomb = whole(gzip_bomb(1024), "content-encoding: gzip")
    assert len(bomb) < 1_200_000
    tracemalloc.start()
    try:
        assert kind(bomb, 1_200_000) == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [gzip.compress(PAGE)[:-9], b"not gzip", b""])
def test_a_compressed_page_that_is_broken_is_malformed(body: bytes) -> None:
    assert kind(whole(body, "content-encoding: gzip")) == "malformed"


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    assert kind(whole(PAGE, f"content-encoding: {encoding}")) == "encoding"


@given(
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]),
    st.lists(st.binary(max_size=300), max_size=3),
)
def test_any_bytes_are_a_page_or_a_scrape_error(head: bytes, rest: list[bytes]) -> None:
    answer = Answer(1 << 20)
    with suppress(ScrapeError):
        if all(answer.feed(part) is None for part in [head, *rest]):
            assert answer.end() is not None
