"""Answers gRPC health checks over calls of the native transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from epp.http2.status import Status
from epp.server.health import Health
from epp.server.native.call import Call

SERVICE = "grpc.health.v1.Health"

STATUS = {
    True: HealthCheckResponse.SERVING,
    False: HealthCheckResponse.NOT_SERVING,
    None: HealthCheckResponse.SERVICE_UNKNOWN,
}


class Check:
    """Says once how it is."""

    def __init__(self, health: Health, call: Call) -> None:
        self._health = health
        self._call = call

    def message(self, data: bytes) -> Sequence[bytes]:
        """Answer and end."""
        name = _name(data)
        serving = None if name is None else self._health.serving(name)
        if serving is None:
            self._call.end(Status.NOT_FOUND, "nothing is called so here")
            return ()
        self._call.send(_response(serving))
        self._call.end()
        return ()

    def ended(self) -> None:
        """Miss the question: a check that was answered is over by now."""
        self._call.end(Status.INTERNAL, "a check without a question")

    def closed(self) -> None:
        """Hold nothing."""


class Watch:
    """Says how it is, and each time that it changes."""

    def __init__(self, health: Health, call: Call) -> None:
        self._health = health
        self._call = call
        self._leave: Callable[[], None] | None = None

    def message(self, data: bytes) -> Sequence[bytes]:
        """Begin; a second question is not heard."""
        name = _name(data)
        if self._leave is not None:
            return ()
        if name is None:
            self._call.end(Status.INTERNAL, "this is no HealthCheckRequest")
            return ()
        self._leave = self._health.watch(name, self._tell)
        return (_response(self._health.serving(name)),)

    def ended(self) -> None:
        """Go on: the peer has asked all that it asks."""
        if self._leave is None:
            self._call.end(Status.INTERNAL, "a watch without a question")

    def closed(self) -> None:
        """Watch no longer."""
        if self._leave is not None:
            self._leave()

    def _tell(self, serving: bool | None) -> None:
        self._call.push(_response(serving))


def _response(serving: bool | None) -> bytes:
    return HealthCheckResponse(status=STATUS[serving]).SerializeToString()


def _name(data: bytes) -> str | None:
    try:
        return HealthCheckRequest.FromString(data).service
    except DecodeError:
        return None
