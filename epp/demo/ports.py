"""TCP ports of this machine: one that is free, and whether a given one is."""

from __future__ import annotations

import os
import socket


class PortTakenError(Exception):
    """A port cannot be listened on; the message says which option to change."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with _socket(host) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(host: str, port: int, option: str) -> None:
    """Raise unless `port` can be listened on.

    Asked before the start, because two listeners that both allow sharing (SO_REUSEPORT) start
    without an error and get half of the connections each.
    """
    with _socket(host) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise PortTakenError(
                f"cannot listen on {host} port {port}: {reason}; choose another with {option}"
            ) from error


def _socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = socket.socket(family, socket.SOCK_STREAM)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe
