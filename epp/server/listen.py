"""What is served on a port, and how; whichever transport does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from epp.server.health import Health
from epp.server.processor import ExternalProcessor
from epp.server.tls import Certificates


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
    path: Path | None = None  # a Unix socket, in the place of host and port

    @property
    def address(self) -> str:
        """Where, for a reader."""
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Services(msgspec.Struct, frozen=True):
    """What a port answers."""

    processor: ExternalProcessor | None = None
    # A watch has no end of its own, so that a server which drains waits for it in vain: health
    # checks have a port of their own, which is closed last and at once.
    health: Health | None = None
    reflection: bool = False  # descriptors, for clients that come without their .proto files


class Listener(Protocol):
    """Services on an open port."""

    @property
    def port(self) -> int:
        """The port; 0 for a Unix socket."""
        ...

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, let streams finish; end with an error those that take longer."""
        ...


Listen = Callable[[ListenSettings, Services, Certificates | None], Awaitable[Listener]]
"""Opens a port; ListenError if it cannot be had. Without certificates it is neither secret nor
checked.
"""


def refusal(settings: ListenSettings, reason: str) -> str:
    """Say why a port cannot be had, and what to do."""
    return f"cannot listen on {settings.address}: {reason}. Stop what holds it or choose another."
