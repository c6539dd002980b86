"""A stream that no pool is meant by."""

from __future__ import annotations

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.actions import Refuse
from epp.exchange.events import Refused
from epp.server import codec
from epp.server.processor import InMessages, Later


class Stranger(InMessages):
    """Answers a stream whose `:authority` names no pool, on a port that has none of its own.

    With an answer, not with an end: Envoy would go on with the destination that a client named.
    """

    def __init__(self, authority: str) -> None:
        self.finished = self.waiting = False
        self.later: Later | None = None
        self._authority = authority

    def receive(self, _: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        """Refuse the request."""
        if self.finished:
            return []
        self.finished = True
        message = f"No InferencePool is served here by the name of {self._authority or 'nothing'}."
        return [codec.reply(Refuse(Refused(503, message, "rejected-no-endpoints")))]

    def close(self) -> None:
        """Hold nothing."""
