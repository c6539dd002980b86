"""Envoy's judgement of a picker: takes replies by the rules of its body modes.

Written from what Envoy does and not from what the picker does: whatever Envoy would answer with a
500, a timeout, or a request to an address that is none of the pool's, is an AssertionError.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from tests.server.envoy import DESTINATION, DUPLEX, set_headers

UNTOUCHABLE = {"content-length", "transfer-encoding", "host", ":method", ":authority", ":scheme"}


class Direction:
    """One direction of a stream: what was sent to the picker and what came back."""

    def __init__(self, name: str, mode: BodyMode) -> None:
        self.name = name
        self.mode = mode
        self.unanswered: list[str] = []
        self.sent = self.given_back = b""
        self.body_ended = self.end_given_back = False
        self.answered: set[str] = set()

    def send(self, part: str, message: pb.ProcessingRequest) -> None:
        self.unanswered.append(part)
        if part == "body":
            content: pb.HttpBody = getattr(message, f"{self.name}_body")
            self.sent += content.body
            self.body_ended |= content.end_of_stream

    def take(self, part: str, reply: pb.ProcessingResponse) -> None:
        content = getattr(reply, f"{self.name}_{part}")
        if self.mode is DUPLEX:
            self._take_streamed(part, content)
        else:
            assert self.unanswered.pop(0) == part, "a reply to something else"
            if part == "body":
                assert not content.response.HasField("body_mutation")
        self.answered.add(part)

    def _take_streamed(self, part: str, content: pb.BodyResponse) -> None:
        if part != "body":
            assert part in self.unanswered, "a reply to nothing"
            self.unanswered.remove(part)
            assert "trailers" not in self.answered
            assert part != "headers" or "body" not in self.answered, "the body went first"
            assert part != "trailers" or self.given_back == self.sent, "trailers before the body"
            return
        assert "headers" not in self.unanswered, "the body before the headers"
        mutation = content.response.body_mutation
        assert mutation.WhichOneof("mutation") == "streamed_response"
        assert not self.end_given_back, "a body after its end"
        piece = mutation.streamed_response
        assert len(piece.body) <= 64 * 1024
        assert self.body_ended or not piece.end_of_stream, "an end that the peer did not give"
        self.given_back += piece.body
        self.end_given_back = piece.end_of_stream
        assert self.sent.startswith(self.given_back), "other bytes"

    def settled(self) -> bool:
        """Whether everything sent was answered, every byte and the end of the body included."""
        if self.mode is not DUPLEX:
            return not self.unanswered
        return (
            not set(self.unanswered) - {"body"}
            and self.given_back == self.sent
            and self.end_given_back == self.body_ended
        )


class Proxy:
    """The whole of a stream, and the headers with which the request would go upstream."""

    def __init__(self, modes: tuple[BodyMode, BodyMode]) -> None:
        self.request = Direction("request", modes[0])
        self.response = Direction("response", modes[1])
        self.upstream: dict[str, str] = {}
        self.spoofed: str | None = None
        self.continued = False  # the request has a body or trailers
        self.refused = False
        self.placed = 0

    def send(self, message: pb.ProcessingRequest) -> None:
        direction, part = self._split(message.WhichOneof("request") or "")
        direction.send(part, message)
        if direction is self.request and part == "headers":
            self.continued = not message.request_headers.end_of_stream
            headers = message.request_headers.headers.headers
            self.upstream = {h.key: h.raw_value.decode() for h in headers}
            self.spoofed = self.upstream.get(DESTINATION)

    def take(self, replies: Iterable[pb.ProcessingResponse]) -> None:
        for reply in replies:
            assert not self.refused, "something after the immediate response"
            kind = reply.WhichOneof("response") or ""
            if kind == "immediate_response":
                assert reply.immediate_response.status.code >= 400
                self.refused = True
                continue
            direction, part = self._split(kind)
            direction.take(part, reply)
            if part != "trailers":
                self._apply(direction, part, reply)

    def let_go(self) -> bool:
        """Whether the request is on its way upstream."""
        awaited = {"headers"}
        if self.request.mode in {BodyMode.BUFFERED, BodyMode.BUFFERED_PARTIAL} and self.continued:
            awaited = {"body", "trailers"}  # whichever the request has
        return not awaited.isdisjoint(self.request.answered) and not self.refused

    def check_upstream(self, pool: Container[str]) -> None:
        """A request goes to an endpoint of the pool, whatever the client wrote."""
        assert self.upstream.get(DESTINATION) in pool
        assert self.placed == 1

    def _split(self, kind: str) -> tuple[Direction, str]:
        name, _, part = kind.partition("_")
        return {"request": self.request, "response": self.response}[name], part

    def _apply(self, direction: Direction, part: str, reply: pb.ProcessingResponse) -> None:
        response = getattr(reply, f"{direction.name}_{part}").response
        mutation: pb.HeaderMutation = response.header_mutation
        for option in mutation.set_headers:
            assert option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD
            assert option.header.raw_value, "`value` is not read"
            assert not option.header.value
            assert option.header.key == option.header.key.lower()
            assert option.header.raw_value.decode().isprintable()
            assert option.header.key not in UNTOUCHABLE
        if reply.HasField("mode_override"):
            assert (direction.name, part) == ("request", "headers"), "races with the body"
            assert DUPLEX not in {self.request.mode, self.response.mode}
            assert int(reply.mode_override.request_body_mode) == self.request.mode
        if direction is self.request:
            for key in mutation.remove_headers:
                self.upstream.pop(key, None)
            self.upstream |= set_headers(reply)
            self.placed += DESTINATION in set_headers(reply)
            assert self.upstream.get(DESTINATION) != self.spoofed or self.spoofed is None
