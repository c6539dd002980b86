"""Against the `h2` package as the client: another reading of the same protocol."""

from __future__ import annotations

from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.settings import SettingCodes

from epp.http2.events import Ended, Message, Opened
from tests.http2.peer import CALL, Server, framed


class Peer:
    """A client of `h2`, and a server that gives back what it hears."""

    def __init__(self, *, cut: int = 0, window: int | None = None) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.server = Server()
        self.cut = cut
        self.heard: list[Any] = []
        self.body: dict[int, bytes] = {}
        self.said: list[Any] = []
        self.exchange()

    def exchange(self) -> None:
        """Let both say all that they have to."""
        while True:
            sent = self.h2.data_to_send()
            for part in self._parts(sent):
                for event in self.server.core.receive(part, self.server.now):
                    self._serve(event)
            answer = self.server.core.take()
            for told in self.h2.receive_data(answer):
                self._take(told)
            if not sent and not answer:
                return

    def _parts(self, sent: bytes) -> list[bytes]:
        size = self.cut or len(sent) or 1
        return [sent[n : n + size] for n in range(0, len(sent), size)]

    def _serve(self, event: Any) -> None:
        self.heard.append(event)
        if isinstance(event, Message):
            self.server.core.send(event.stream_id, event.data)
        elif isinstance(event, Ended):
            self.server.core.end(event.stream_id)

    def _take(self, event: Any) -> None:
        self.said.append(event)
        if isinstance(event, DataReceived):
            stream_id, size = event.stream_id, event.flow_controlled_length
            self.body[stream_id] = self.body.get(stream_id, b"") + event.data
            self.h2.acknowledge_received_data(size, stream_id)


@pytest.mark.parametrize("cut", [0, 1, 7])
@pytest.mark.parametrize("padding", [None, 5])
def test_a_call_is_echoed(cut: int, padding: int | None) -> None:
    peer = Peer(cut=cut)
    for stream_id in (1, 3):
        peer.h2.send_headers(stream_id, list(CALL))
        peer.h2.send_data(stream_id, framed(b"one") + framed(b"two")[:3], pad_length=padding)
        peer.exchange()
        peer.h2.send_data(stream_id, framed(b"two")[3:], pad_length=padding, end_stream=True)
        peer.exchange()
        assert peer.body[stream_id] == framed(b"one") + framed(b"two")
    kinds = [type(event) for event in peer.said]
    for kind in (ResponseReceived, TrailersReceived, StreamEnded):
        assert kinds.count(kind) == 2
    assert StreamReset not in kinds


def test_headers_that_need_several_frames_are_read() -> None:
    peer = Peer()
    long = [(b"x-long", b"v" * 20_000)]
    peer.h2.send_headers(1, [*CALL, *long], end_stream=True)
    peer.exchange()
    assert [type(event) for event in peer.heard] == [Opened, Ended]


def test_a_client_that_gives_one_byte_at_a_time_gets_all() -> None:
    peer = Peer(window=1)
    peer.h2.send_headers(1, list(CALL))
    peer.h2.send_data(1, framed(b"hello"), end_stream=True)
    peer.exchange()
    assert peer.body[1] == framed(b"hello")
    assert StreamEnded in [type(event) for event in peer.said]


def test_a_large_body_goes_both_ways() -> None:
    peer = Peer()
    peer.h2.send_headers(1, list(CALL))
    rest = framed(bytes(900_000))
    while rest:
        size = min(len(rest), peer.h2.local_flow_control_window(1), 16_384)
        peer.h2.send_data(1, rest[:size])
        rest = rest[size:]
        peer.exchange()
    peer.h2.end_stream(1)
    peer.exchange()
    assert peer.body[1] == framed(bytes(900_000))


def test_headers_with_a_priority_are_read() -> None:
    peer = Peer()
    peer.h2.send_headers(1, list(CALL), priority_weight=7, priority_depends_on=0)
    peer.h2.prioritize(1, weight=9)
    peer.exchange()
    assert [type(event) for event in peer.heard] == [Opened]
