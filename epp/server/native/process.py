"""Carries conversations over calls of the native transport."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.http2.status import Status
from epp.server.native.call import Call
from epp.server.processor import ExternalProcessor


class Process:
    """One stream of the ext_proc service."""

    __slots__ = ("_call", "_conversation", "_ended", "_processor")

    def __init__(self, processor: ExternalProcessor, call: Call) -> None:
        self._processor = processor
        self._call = call
        self._conversation = processor.open(call.authority)
        self._conversation.later = self._later
        self._ended = False

    def message(self, data: bytes) -> Sequence[bytes]:
        """Answer one message, at once."""
        conversation = self._conversation
        try:
            replies = conversation.exchange(data)
        except DecodeError:
            self._call.end(Status.INTERNAL, "this is no ProcessingRequest")
            return ()
        if conversation.finished:
            self._call.send_all(replies)
            self._call.end()
            return ()
        return replies

    def ended(self) -> None:
        """End the stream well, as its peer did; not before a reply that is owed."""
        self._ended = True
        if not self._conversation.waiting:
            self._call.end()

    def _later(self, replies: list[pb.ProcessingResponse]) -> None:
        self._call.send_all([reply.SerializeToString() for reply in replies])
        if self._conversation.finished or self._ended:
            self._call.end()
        self._call.flush()

    def closed(self) -> None:
        """Release what the stream holds."""
        self._processor.close(self._conversation)
