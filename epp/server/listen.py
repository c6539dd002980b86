"""Opens a port for gRPC services and closes it without cutting off what still runs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

import grpc
import grpc.aio
import msgspec

from epp.server.errors import ListenError

Service = Callable[[grpc.aio.Server], None]
"""Adds itself to a server that has not been started."""


class ListenSettings(msgspec.Struct, frozen=True):
    """Where to listen, and what one connection may ask for."""

    port: int  # 0: any that is free
    host: str = "::"  # every address, IPv4 included
    max_message_bytes: int = 17 * 1024 * 1024  # the largest body, and room for what surrounds it

    # 0: no limit. A low one makes Envoy open more connections, which spreads its streams over
    # processes that share a port. But Envoy learns of it only after its first streams: of a burst
    # on a new connection, all above the limit are refused, and their clients get a 500.
    max_concurrent_streams: int = 0

    reuse_port: bool = False  # several processes on one port; without, a taken port is an error


class Listener:
    """Services on an open port."""

    def __init__(self, server: grpc.aio.Server, port: int) -> None:
        self._server = server
        self.port = port

    def __repr__(self) -> str:
        return f"<Listener on port {self.port}>"

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, let streams finish; end with an error those that take longer."""
        await self._server.stop(timeout_s)


async def listen(
    settings: ListenSettings,
    services: Iterable[Service],
    credentials: grpc.ServerCredentials | None,
) -> Listener:
    """Open the port and serve. Without credentials the connection is neither secret nor checked."""
    server = grpc.aio.server(options=_options(settings))
    for add in services:
        add(server)
    port = _bind(server, settings, credentials)
    await server.start()
    return Listener(server, port)


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
    server: grpc.aio.Server, settings: ListenSettings, credentials: grpc.ServerCredentials | None
) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{settings.port}"
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        reason = _why_not(settings.host, settings.port)
        raise ListenError(
            f"cannot listen on {address}: {reason}. Stop what holds it or choose another."
        ) from error


def _why_not(host: str, port: int) -> str:
    """Bind it once more: gRPC keeps the system's reason to itself."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return "gRPC could not bind it"
