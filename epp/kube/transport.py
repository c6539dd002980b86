"""Connections to an API server that notice when the other side is gone."""

from __future__ import annotations

import socket
import ssl

import httpx

# Each watch holds a connection for as long as it lasts, so that their number is the user's affair.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=30.0)

# A watch may be silent for a minute. Without these a connection that a firewall or a dead node
# swallowed looks like a quiet one.
_WANTED = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 30),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 30_000),  # milliseconds; Linux only
)


def socket_options() -> list[tuple[int, int, int]]:
    """Return those of the wanted options that this system has."""
    return [
        (level, getattr(socket, name), value)
        for level, name, value in _WANTED
        if hasattr(socket, name)
    ]


def tcp_transport(tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return the usual transport; no proxy of the environment applies to it."""
    return httpx.AsyncHTTPTransport(
        verify=tls, limits=_LIMITS, trust_env=False, socket_options=socket_options()
    )
