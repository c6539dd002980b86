from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from epp.http2 import frames, hpack
from epp.http2.events import Ended, Event, Gone, Message, Opened
from epp.http2.frame_effects import State
from epp.http2.frames import FrameType
from epp.http2.guards import CONNECTION_WINDOW, STREAM_QUEUE_BYTES, STREAM_WINDOW, Capacity
from epp.http2.leaving import Leaving
from epp.http2.status import Status
from tests.http2.peer import (
    BLOCK,
    CALL,
    HELLO,
    LIMIT,
    Server,
    call,
    credit,
    data,
    frame,
    framed,
    messages,
    reset,
    say,
    settings,
    settled,
    trailers,
)

OPENED = Opened(1, "/service/Method", "picker", None)
PATIENT = settings((4, 2**20)) + credit(0, 2**20)


def test_it_says_first_what_it_wants() -> None:
    server = Server()
    told, widened = server.listen()
    pairs = {told.payload[n : n + 2]: told.payload[n + 2 : n + 6] for n in range(0, 18, 6)}
    assert pairs[b"\0\x01"] == bytes(4)  # no table
    assert int.from_bytes(pairs[b"\0\x04"], "big") == STREAM_WINDOW
    assert int.from_bytes(widened.payload, "big") == CONNECTION_WINDOW - 65_535


def test_a_call_from_beginning_to_end() -> None:
    server = settled()
    assert server.hear(call(1), say(1, b"one"), data(1, framed(b"two") + framed(b""))) == [
        OPENED,
        Message(1, b"one"),
        Message(1, b"two"),
        Message(1, b""),
    ]
    server.core.send(1, b"first")
    server.core.send(1, b"second")
    assert server.hear(data(1, b"", end=True)) == [Ended(1)]
    server.core.end(1)
    server.listen()
    assert messages(server.said, 1) == [b"first", b"second"]
    assert trailers(server.said, 1) == {"grpc-status": "0"}
    assert server.of(FrameType.RST_STREAM) == []
    assert not server.core.streams


def test_an_answer_before_the_peers_end_tells_it_to_stop() -> None:
    server = settled()
    server.hear(call(1), say(1, b"one"))
    server.core.send(1, b"first")
    server.core.end(1)
    assert [said.kind for said in server.listen()] == [1, 0, 1, 3]
    assert server.said[-1].code == 0
    assert server.hear(say(1, b"late"), data(1, b"", end=True), reset(1)) == []
    assert server.core.state is State.OPEN


def test_an_error_is_all_that_its_answer_has() -> None:
    server = settled()
    server.hear(call(1))
    server.core.end(1, Status.UNAVAILABLE, "gone \u00e9 100%")
    server.listen()
    assert trailers(server.said, 1) == {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-status": "14",
        "grpc-message": "gone %C3%A9 100%25",
    }


def test_nothing_is_sent_on_a_stream_that_is_over() -> None:
    server = settled()
    server.hear(call(1))
    assert server.hear(reset(1)) == [Gone(1)]
    server.core.send(1, b"x")
    server.core.end(1)
    assert server.listen() == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({b":method": b"GET"}, {":status": "405"}),
        ({b"content-type": b"application/json"}, {":status": "415"}),
        ({b"content-type": b"application/grpc-web"}, {":status": "415"}),
    ],
)
def test_what_is_no_grpc_call_has_an_http_answer(
    change: dict[bytes, bytes], status: dict[str, str]
) -> None:
    server = settled()
    block = hpack.encode(*(dict(CALL) | change).items())
    assert server.hear(frame(FrameType.HEADERS, 4, 1, block)) == []
    assert trailers(server.said, 1) == status
    assert server.of(FrameType.RST_STREAM, 1)[0].code == 0


@pytest.mark.parametrize("kind", [b"application/grpc+proto", b"application/grpc;charset=utf-8"])
def test_a_content_type_may_say_more(kind: bytes) -> None:
    block = hpack.encode(*(dict(CALL) | {b"content-type": kind}).items())
    assert settled().hear(frame(FrameType.HEADERS, 4, 1, block)) == [OPENED]


def test_compression_is_refused_with_what_is_accepted() -> None:
    server = settled()
    assert server.hear(call(1, (b"grpc-encoding", b"gzip"))) == []
    told = trailers(server.said, 1)
    assert (told["grpc-status"], told["grpc-accept-encoding"]) == ("12", "identity")
    events = server.hear(call(3), data(3, b"\x01\0\0\0\x01x"))
    assert events[-1] == Gone(3)
    assert trailers(server.said, 3)["grpc-status"] == "12"


def test_a_message_above_the_limit_ends_its_call_before_it_has_come() -> None:
    server = settled()
    events = server.hear(call(1), data(1, b"\0" + (LIMIT + 1).to_bytes(4, "big")))
    assert events == [OPENED, Gone(1)]
    assert trailers(server.said, 1)["grpc-status"] == "8"


def test_a_stream_that_ends_within_a_message_ends_with_an_error() -> None:
    server = settled()
    assert server.hear(call(1), data(1, b"\0\0\0\0\x05abc", end=True))[-1] == Gone(1)
    assert trailers(server.said, 1)["grpc-status"] == "13"
    assert server.capacity.assembly.used == 0


def test_trailers_end_a_stream() -> None:
    server = settled()
    tail = frame(FrameType.HEADERS, 5, 1, b"\x00\x01x\x01y")
    assert server.hear(call(1), tail) == [OPENED, Ended(1)]


def test_a_deadline_is_told() -> None:
    [opened] = settled().hear(call(1, (b"grpc-timeout", b"2S")))
    assert opened == Opened(1, "/service/Method", "picker", 2.0)


# --- where the bytes are cut ---------------------------------------------------------------------

PADDED_HEADERS = frame(
    FrameType.HEADERS, 0x8 | 0x20 | 4, 3, b"\x02" + bytes(4) + b"\x10" + BLOCK + bytes(2)
)
IN_PARTS = (
    frame(FrameType.HEADERS, 1, 5, BLOCK[:10])
    + frame(FrameType.CONTINUATION, 0, 5, BLOCK[10:11])
    + frame(FrameType.CONTINUATION, 0, 5)
    + frame(FrameType.CONTINUATION, 4, 5, BLOCK[11:])
)
WHOLE = (
    HELLO
    + settings((4, 100_000), (1, 0), (0x99, 1))
    + call(1)
    + PADDED_HEADERS
    + data(1, framed(b"x" * 300)[:7])
    + IN_PARTS
    + data(3, framed(b"padded"), padding=9)
    + frame(FrameType.PING, payload=b"12345678")
    + data(1, framed(b"x" * 300)[7:] + framed(b"next")[:3])
    + frame(FrameType.PRIORITY, 0, 3, bytes(5))
    + credit(0, 70_000)
    + data(1, framed(b"next")[3:], end=True)
    + reset(3)
    + frame(0x55, 0, 0, b"unknown")
)
EVENTS: list[Event] = [
    OPENED,
    Opened(3, "/service/Method", "picker", None),
    Opened(5, "/service/Method", "picker", None),
    Ended(5),
    Message(3, b"padded"),
    Message(1, b"x" * 300),
    Message(1, b"next"),
    Ended(1),
    Gone(3),
]


def played(*parts: bytes) -> tuple[list[Event], list[Any]]:
    server = Server()
    events = server.hear(*parts)
    return events, server.said


def test_what_comes_whole_is_understood() -> None:
    assert played(WHOLE)[0] == EVENTS


def test_it_is_the_same_cut_at_every_byte() -> None:
    whole = played(WHOLE)
    for n in range(1, len(WHOLE)):
        assert played(WHOLE[:n], WHOLE[n:]) == whole
    assert played(*(WHOLE[n : n + 1] for n in range(len(WHOLE)))) == whole


SPEECH = st.lists(
    st.tuples(st.sampled_from([1, 3, 5]), st.binary(max_size=400), st.integers(0, 3)), max_size=12
)


CUTS = st.lists(st.integers(1, 5000), max_size=8)
SIZES = st.lists(st.integers(1, 200), max_size=6)


@examples(deadline=None)
@given(SPEECH, CUTS, SIZES)
def test_any_split_of_any_conversation_gives_the_same_events(
    speech: list[tuple[int, bytes, int]], cuts: list[int], sizes: list[int]
) -> None:
    """Messages are cut into frames, and the frames' bytes into reads, where it happens."""
    said = [HELLO, call(1), call(3), call(5)]
    expected: list[Event] = [Opened(n, "/service/Method", "picker", None) for n in (1, 3, 5)]
    for stream_id, message, padding in speech:
        rest = framed(message)
        for size in sizes:
            if size < len(rest):
                said.append(data(stream_id, rest[:size], padding=padding or None))
                rest = rest[size:]
        said.append(data(stream_id, rest, padding=padding or None))
        expected.append(Message(stream_id, message))
    whole = b"".join(said)
    marks = sorted({cut % (len(whole) + 1) for cut in cuts} | {0, len(whole)})
    parts = [whole[a:b] for a, b in pairwise(marks)]
    assert played(*parts) == played(whole)
    assert played(whole)[0] == expected


# --- flow control --------------------------------------------------------------------------------


def test_credit_is_given_back_by_halves_of_a_window() -> None:
    server = settled()
    server.hear(call(1))
    chunk = data(1, b"\0\0\0\x3f\xfb" + bytes(16_379))
    for _ in range(STREAM_WINDOW // 2 // 16_384):
        server.hear(chunk)
    assert server.of(FrameType.WINDOW_UPDATE) == []
    server.hear(chunk)
    [update] = server.of(FrameType.WINDOW_UPDATE)
    assert update.stream_id == 1
    assert int.from_bytes(update.payload, "big") == STREAM_WINDOW // 2 + 16_384
    for _ in range(CONNECTION_WINDOW // 2 // 16_384):
        server.hear(chunk)
    assert sum(1 for said in server.of(FrameType.WINDOW_UPDATE) if said.stream_id == 0) == 1


def test_what_does_not_fit_waits_for_the_peer() -> None:
    server = settled()
    server.hear(settings((4, 10)), call(1))
    server.said.clear()
    server.core.send(1, b"x" * 100)
    server.core.end(1)
    server.listen()
    assert [len(said.payload) for said in server.of(FrameType.DATA)] == [10]
    assert server.core.streams
    server.hear(credit(1, 95))
    assert messages(server.said, 1) == [b"x" * 100]
    assert trailers(server.said, 1) == {"grpc-status": "0"}
    assert not server.core.streams


def test_a_window_of_one_byte_is_enough() -> None:
    server = settled()
    server.hear(settings((4, 1)), call(1))
    server.said.clear()
    server.core.send(1, b"hello")
    server.core.send(1, b"")
    for _ in range(14):
        server.hear(credit(1, 1))
    assert messages(server.said, 1) == [b"hello", b""]
    assert {len(said.payload) for said in server.of(FrameType.DATA)} == {1}


def test_a_window_may_become_negative() -> None:
    server = settled()
    server.hear(settings((4, 100)), call(1))
    server.core.send(1, b"x" * 95)
    server.hear(settings((4, 10)))
    server.said.clear()
    server.core.send(1, b"y")
    server.hear(credit(1, 90))
    assert server.of(FrameType.DATA) == []
    server.hear(credit(1, 6))
    assert messages(server.said, 1) == [b"y"]


def test_blocked_streams_take_turns() -> None:
    server = settled()
    server.hear(settings((4, 2**20)), call(1), call(3), call(5))
    server.core.send(1, b"1" * 200_000)
    for stream_id in (3, 5):
        server.core.send(stream_id, b"3" * 30_000)
    server.listen()
    server.said.clear()
    server.hear(credit(0, 16_384 * 6))
    order = [said.stream_id for said in server.of(FrameType.DATA)]
    assert order[:3] == [1, 3, 5]
    assert {3, 5} <= set(order)


def test_a_stream_whose_answers_are_not_taken_is_not_heard_until_they_are() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), call(3), say(1, b"a"))
    server.core.send(1, b"x" * (STREAM_QUEUE_BYTES + 1))
    assert server.hear(say(1, b"b"), say(1, b"c", end=True)) == []
    assert server.hear(say(3, b"other")) == [Message(3, b"other")]
    assert server.capacity.unheard.used == 2
    assert server.hear(credit(0, 2**20), credit(1, 2**20)) == [
        Message(1, b"b"),
        Message(1, b"c"),
        Ended(1),
    ]
    assert server.capacity.unheard.used == 0


def test_a_stream_that_is_not_heard_gets_no_credit() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), say(1, b"a"))
    server.core.send(1, b"x" * (STREAM_QUEUE_BYTES + 1))
    chunk = data(1, b"\0\0\0\x3f\xfb" + bytes(16_379))
    while 1 in server.core.streams and server.core.streams[1].withheld < 7_000_000:
        server.hear(chunk)
    assert server.of(FrameType.WINDOW_UPDATE, 1) == []
    assert server.hear(chunk * 150) == [Gone(1)]
    assert server.capacity.unheard.used == 0
    assert server.hear(credit(0, 2**20), credit(1, 2**20)) == []
    assert trailers(server.said, 1)["grpc-status"] == "8"


# --- limits, time and the end --------------------------------------------------------------------


def test_streams_above_the_limit_are_refused() -> None:
    server = settled(max_concurrent_streams=2)
    assert len(server.hear(call(1), call(3), call(5))) == 2
    [refused] = server.of(FrameType.RST_STREAM)
    assert (refused.stream_id, refused.code) == (5, 7)
    server.hear(reset(1))
    assert len(server.hear(call(7))) == 1


def test_streams_above_what_the_process_has_are_refused() -> None:
    capacity = Capacity()
    capacity.streams.limit = 2
    one, other = Server(capacity), Server(capacity)
    for server in (one, other):
        server.hear(HELLO, call(1), call(3))
    assert len(one.core.streams) == 2
    assert other.core.streams == {}
    one.core.abandon()
    assert capacity.streams.used == 0


def test_a_drain_is_announced_and_then_names_the_last_stream() -> None:
    server = settled()
    server.hear(call(1))
    server.core.drain(server.now)
    first, ping = server.listen()
    assert int.from_bytes(first.payload[:4], "big") == 2**31 - 1
    assert server.hear(call(3)) == [Opened(3, "/service/Method", "picker", None)]
    server.hear(frame(FrameType.PING, 1, 0, ping.payload))
    last = server.of(FrameType.GOAWAY)[-1]
    assert int.from_bytes(last.payload[:4], "big") == 3
    assert server.hear(call(5)) == []
    assert server.of(FrameType.RST_STREAM, 5)[0].code == 7
    assert not server.core.finished
    for stream_id in (1, 3):
        server.core.end(stream_id)
    assert server.core.finished
    assert server.core.failure is None


def test_a_peer_that_answers_no_ping_is_not_waited_for_in_a_drain() -> None:
    server = settled()
    server.core.drain(server.now)
    server.tick(0.5)
    assert server.core.leaving is Leaving.ANNOUNCED
    server.tick(0.6)
    assert server.core.finished


def test_a_peer_that_leaves_is_served_to_the_end() -> None:
    server = settled()
    server.hear(call(1), frame(FrameType.GOAWAY, 0, 0, bytes(8)))
    assert server.hear(say(1, b"still")) == [Message(1, b"still")]
    server.tick(1.1)
    server.core.end(1)
    assert server.core.finished


@pytest.mark.parametrize("begun", [b"", frames.PREFACE[:10], frames.PREFACE])
def test_a_peer_that_does_not_begin_is_not_waited_for(begun: bytes) -> None:
    server = Server()
    server.hear(begun)
    server.tick(9.9)
    assert not server.core.finished
    server.tick(0.2)
    assert server.goaway[0] == "SETTINGS_TIMEOUT"


def test_a_peer_that_does_not_agree_to_the_settings_is_not_waited_for() -> None:
    server = Server()
    server.hear(frames.PREFACE + settings())
    server.tick(29.9)
    assert not server.core.finished
    server.tick(0.2)
    assert server.goaway[0] == "SETTINGS_TIMEOUT"


def test_a_silent_peer_is_asked_and_one_that_answers_stays() -> None:
    server = settled()
    for _ in range(3):
        server.tick(30.0)
        ping = server.of(FrameType.PING)[-1]
        server.now += 9.0
        server.hear(frame(FrameType.PING, 1, 0, ping.payload))
        server.tick(1.0)
    assert len(server.of(FrameType.PING)) == 3
    assert not server.core.finished


def test_a_peer_that_is_gone_without_a_word_is_found() -> None:
    server = settled()
    server.hear(call(1))
    assert server.tick(30.0) == []
    assert server.tick(10.0) == [Gone(1)]
    assert server.core.finished


def test_a_connection_that_nobody_uses_ends() -> None:
    server = settled()
    server.hear(call(1))
    for _ in range(300):
        server.tick(30.0)
        server.hear(frame(FrameType.PING, 0, 0, bytes(8)))
    assert not server.core.finished
    server.hear(reset(1))
    for _ in range(245):
        server.tick(30.0)
        server.hear(frame(FrameType.PING, 0, 0, bytes(8)))
    assert server.core.finished
    assert server.core.failure is None


def test_an_answer_that_nobody_takes_ends_after_minutes() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), say(1, b"a"))
    server.core.send(1, b"x")
    for _ in range(29):
        assert server.tick(10.0) == []
        server.hear(frame(FrameType.PING, 0, 0, bytes(8)))
    assert server.tick(10.0) == [Gone(1)]
    assert server.of(FrameType.RST_STREAM, 1)[0].code == 8


def test_after_its_end_a_connection_hears_nothing() -> None:
    server = settled()
    server.hear(call(1))
    assert server.hear(frame(FrameType.CONTINUATION, 0, 1)) == [Gone(1)]
    assert server.hear(call(3), say(3, b"x")) == []
    assert server.listen() == []


def test_after_its_end_nothing_is_due() -> None:
    server = settled()
    server.hear(frame(FrameType.CONTINUATION, 0, 1))
    server.said.clear()
    assert server.tick(100.0) == []
    assert server.said == []


def test_a_silent_peer_is_asked_once_and_waited_for() -> None:
    server = settled()
    for seconds in (30.0, 5.0, 4.0):
        server.tick(seconds)
    assert len(server.of(FrameType.PING)) == 1
    assert not server.core.finished


def test_a_stream_that_was_answered_but_not_taken_notes_its_peers_end() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), call(3))
    for stream_id in (1, 3):
        server.core.send(stream_id, b"x")
        server.core.end(stream_id)
    server.hear(data(1, b"", end=True), frame(FrameType.HEADERS, 5, 3, b"\x00\x01x\x01y"))
    server.hear(credit(1, 100), credit(3, 100))
    assert trailers(server.said, 1) == trailers(server.said, 3) == {"grpc-status": "0"}
    assert server.of(FrameType.RST_STREAM) == []


def test_it_shows_where_it_stands() -> None:
    server = settled()
    server.hear(call(1))
    assert repr(server.core) == "<Connection OPEN, 1 streams>"
    assert repr(server.core.streams[1]) == "<Stream 1 OPEN>"
    assert repr(server.capacity).startswith("<Capacity <Budget 1 of 50000>")
