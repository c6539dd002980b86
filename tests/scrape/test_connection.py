from __future__ import annotations

import asyncio

import pytest

from epp.scrape.connection import Connection
from epp.scrape.errors import ScrapeError

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npage"


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


class Pair:
    """A connection and its wire."""

    def __init__(self) -> None:
        self.results: list[bytes | ScrapeError | None] = []
        self.connection = Connection(b"ask", 1000, self.results.append)
        self.wire = Wire()

    def kinds(self) -> list[str]:
        return [result.kind for result in self.results if isinstance(result, ScrapeError)]


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.connection.connection_made(pair.wire)
    return pair


def test_it_asks_as_soon_as_it_is_made_and_then_when_told(pair: Pair) -> None:
    assert pair.wire.written == [b"ask"]
    pair.connection.data_received(ANSWER)
    assert pair.connection.is_open
    pair.connection.ask(b"ask")
    pair.connection.data_received(ANSWER[:30])
    pair.connection.data_received(ANSWER[30:])
    assert pair.wire.written == [b"ask", b"ask"]
    assert pair.results == [b"page", b"page"]


def test_a_connection_that_was_given_up_before_it_was_made_asks_nothing() -> None:
    pair = Pair()
    pair.connection.abort()
    pair.connection.connection_made(pair.wire)
    assert pair.wire.aborted
    assert pair.wire.written == []


def test_bytes_without_a_question_end_the_connection_quietly(pair: Pair) -> None:
    pair.connection.data_received(ANSWER)
    pair.connection.data_received(b"more")
    pair.connection.connection_lost(None)
    assert pair.wire.aborted
    assert pair.results == [b"page"]


def test_its_end_before_a_byte_is_told_as_such(pair: Pair) -> None:
    pair.connection.eof_received()
    pair.connection.connection_lost(None)
    assert pair.results == [None]


@pytest.mark.parametrize("reason", [None, ConnectionResetError("reset")])
def test_its_end_within_an_answer_is_an_error(pair: Pair, reason: Exception | None) -> None:
    pair.connection.data_received(ANSWER[:-1])
    pair.connection.connection_lost(reason)
    assert pair.kinds() == ["malformed"]
    assert not pair.connection.is_open


def test_an_aborted_question_is_never_answered(pair: Pair) -> None:
    pair.connection.abort()
    pair.connection.connection_lost(None)
    assert pair.results == []


def test_asking_on_a_lost_connection_is_a_bug_of_the_caller(pair: Pair) -> None:
    pair.connection.abort()
    pair.connection.connection_lost(None)
    with pytest.raises(RuntimeError, match="closed"):
        pair.connection.ask(b"ask")
