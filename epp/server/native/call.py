"""One gRPC call, as those see it who serve it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from epp.http2.status import Status


class Handler(Protocol):
    """Serves one call. An exception of its ends the call with an error, and no other."""

    def message(self, data: bytes) -> Sequence[bytes]:
        """Take a message; return what answers it, unless it was sent already."""
        ...

    def ended(self) -> None:
        """Take note that the peer sends no more, and waits for the end."""
        ...

    def closed(self) -> None:
        """Release what the call holds; called once, however it ended."""
        ...


class Carrier(Protocol):
    """What a call comes on."""

    def send(self, call: Call, messages: Sequence[bytes]) -> None:
        """Send messages."""
        ...

    def end(self, call: Call, status: Status, reason: str) -> None:
        """End the call."""
        ...

    def flush(self) -> None:
        """Let it leave now."""
        ...


class Call:
    """One call."""

    __slots__ = ("_carrier", "authority", "handler", "id", "timer")

    def __init__(self, carrier: Carrier, stream_id: int, authority: str) -> None:
        self._carrier = carrier
        self.id = stream_id
        self.authority = authority
        self.handler: Handler | None = None
        self.timer: asyncio.TimerHandle | None = None  # the peer's own deadline

    def send(self, message: bytes) -> None:
        """Send a message. It leaves with all else that what came last has brought about."""
        self._carrier.send(self, (message,))

    def send_all(self, messages: Sequence[bytes]) -> None:
        """Send several."""
        self._carrier.send(self, messages)

    def flush(self) -> None:
        """Have what was sent leave now: nothing that came has brought it about."""
        self._carrier.flush()

    def push(self, message: bytes) -> None:
        """Send a message that nothing which came has brought about."""
        self.send(message)
        self.flush()

    def end(self, status: Status = Status.OK, reason: str = "") -> None:
        """End the call, after all messages that were sent."""
        self._carrier.end(self, status, reason)


Method = Callable[[Call], Handler]
"""Begins to serve a call."""
