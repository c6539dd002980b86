"""Opens a port with `grpc.aio` and closes it without cutting off what still runs."""

from __future__ import annotations

import socket

import grpc
import grpc.aio

from epp.server.errors import ListenError
from epp.server.grpcio.health import add_health
from epp.server.grpcio.reflection import add_reflection
from epp.server.grpcio.servicer import add_processor
from epp.server.grpcio.tls import credentials_from
from epp.server.listen import ListenSettings, Services, refusal
from epp.server.tls import Certificates


class GrpcioListener:
    """Services on an open port."""

    def __init__(self, server: grpc.aio.Server, port: int) -> None:
        self._server = server
        self.port = port

    def __repr__(self) -> str:
        return f"<GrpcioListener on port {self.port}>"

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, let streams finish; end with an error those that take longer."""
        await self._server.stop(timeout_s)


async def listen(
    settings: ListenSettings, services: Services, certificates: Certificates | None
) -> GrpcioListener:
    """Open the port and serve. Without certificates it is neither secret nor checked."""
    server = grpc.aio.server(options=_options(settings))
    if services.processor is not None:
        add_processor(services.processor, server)
    if services.health is not None:
        add_health(services.health, server)
    if services.reflection:
        add_reflection(server)
    port = _bind(server, settings, certificates)
    await server.start()
    return GrpcioListener(server, 0 if settings.path else port)


def _options(settings: ListenSettings) -> list[tuple[str, int]]:
    # No limit on calls for the whole server: gRPC refuses what is above it with an error that Envoy
    # shows as a 500. Too much work is the conversation's to refuse, with a 429.
    limit = settings.max_concurrent_streams
    return [
        *([("grpc.max_concurrent_streams", limit)] if limit else []),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.so_reuseport", int(settings.reuse_port)),
        # A peer that is gone without a word is found in 40 s, not in two hours.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # gRPC's own 5 minutes would end the connections of an Envoy that sends keepalives.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def _bind(
    server: grpc.aio.Server, settings: ListenSettings, certificates: Certificates | None
) -> int:
    try:
        if certificates is None:
            return server.add_insecure_port(settings.address)
        return server.add_secure_port(settings.address, credentials_from(certificates))
    except RuntimeError as error:
        raise ListenError(refusal(settings, _why_not(settings))) from error


def _why_not(settings: ListenSettings) -> str:
    """Bind it once more: gRPC keeps the system's reason to itself."""
    if settings.path is not None:
        return "gRPC could not bind it"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return error.strerror or str(error)
    return "gRPC could not bind it"
