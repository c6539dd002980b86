"""TCP ports of this machine: one that is free, and whether a given one is."""

from __future__ import annotations

import contextlib
import random
import socket

from epp.demo.error import DemoError

_TCP = socket.SOCK_STREAM
_QUIET_PORTS = (20_000, 32_000)
_TRIES = 100
_dice = random.SystemRandom()  # two processes with one seed would want the same port


class PortError(DemoError):
    """A port cannot be listened on; the message says which option to change."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment.

    Below those that the system gives to outgoing connections, one of which could take it otherwise
    before it is listened on.
    """
    for _ in range(_TRIES):
        port = _dice.randrange(*_QUIET_PORTS)
        with _socket(host) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise PortError(f"no port between {_QUIET_PORTS[0]} and {_QUIET_PORTS[1]} is free on {host}")


def parse_listen(text: str, option: str) -> tuple[str, int]:
    """The IP address and port in `HOST:PORT`; an IPv6 address stands in brackets."""
    host, _, port = text.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]") or "127.0.0.1", int(port), type=_TCP)
    except (ValueError, OSError) as error:
        raise PortError(f"{option} {text}: write it like 127.0.0.1:8080") from error
    return str(found[0][4][0]), int(port)


def require_free(host: str, port: int, option: str) -> None:
    """Raise unless `port` can be listened on.

    Asked before the start, because two listeners that both allow sharing (SO_REUSEPORT) start
    without an error and get half of the connections each.
    """
    with _socket(host) as probe:
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:  # the latter: above 65535
            reason = getattr(error, "strerror", None) or error
            raise PortError(
                f"cannot listen on {host} port {port}: {reason}; choose another with {option}"
            ) from error


def _socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = socket.socket(family, _TCP)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe
