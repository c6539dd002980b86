"""One connection: between a socket and the HTTP/2 core, and between the core and the calls.

Everything that one read brings is answered before the next, and leaves in one write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import cast

import msgspec

from epp.http2.connection import Connection
from epp.http2.events import Ended, Event, Gone, Message, Opened
from epp.http2.guards import Capacity
from epp.http2.status import Status
from epp.server.native.call import Call, Method

_log = logging.getLogger(__name__)

# What waits in the process for a peer whose socket is full. With more, nothing is read of it until
# it has taken most: what it would ask makes more to send.
_WRITE_BUFFER_BYTES = 1024 * 1024

# A deadline further away than any stream lives is none; a timer has its limits too.
_FAR_S = 30 * 24 * 3600.0


class WireSettings(msgspec.Struct, frozen=True):
    """What all connections of a port share."""

    methods: Mapping[str, Method]
    capacity: Capacity
    clock: Callable[[], float]
    max_message_bytes: int
    max_concurrent_streams: int = 0


class Wires:
    """The open connections of a port."""

    def __init__(self) -> None:
        self._open: set[Wire] = set()
        self.received = 0  # bytes, since somebody last looked
        self._none = asyncio.Event()
        self._none.set()

    def __iter__(self) -> Iterator[Wire]:
        return iter(list(self._open))

    def add(self, wire: Wire) -> None:
        """Take note of a new one."""
        self._open.add(wire)
        self._none.clear()

    def remove(self, wire: Wire) -> None:
        """Forget one that is closed."""
        self._open.discard(wire)
        if not self._open:
            self._none.set()

    async def gone(self, timeout_s: float) -> None:
        """Wait until all are closed, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._none.wait()


class Wire(asyncio.Protocol):
    """One connection of one peer."""

    def __init__(self, settings: WireSettings, wires: Wires) -> None:
        self._settings = settings
        self._wires = wires
        self._clock = settings.clock
        self._methods = settings.methods
        self._calls: dict[int, Call] = {}
        self._core = Connection(
            settings.clock(),
            settings.capacity,
            max_message_bytes=settings.max_message_bytes,
            max_concurrent_streams=settings.max_concurrent_streams,
        )
        self._transport: asyncio.Transport | None = None
        self._performing = False

    def __repr__(self) -> str:
        return f"<Wire {self._core!r}>"

    # --- from the loop ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a peer need not speak first to be told our settings."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_WRITE_BUFFER_BYTES)
        self._wires.add(self)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Answer what came."""
        self._wires.received += len(data)
        try:
            self._perform(self._core.receive(data, self._clock()))
        except Exception:  # noqa: BLE001  a bug must not leave the peer waiting, nor reach other peers
            _log.exception("a connection failed")
            self.abort()

    def pause_writing(self) -> None:
        """Hear no more of a peer that does not take what it asked for."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Hear it again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """End all calls: nobody is there to hear of them."""
        self._transport = None
        self._wires.remove(self)
        self._core.abandon()
        for call in list(self._calls.values()):
            self._close(call)

    # --- from the listener --------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due."""
        self._perform(self._core.tick(self._clock()))

    def drain(self) -> None:
        """Take no new calls once the peer knows; close after the last."""
        self._core.drain(self._clock())
        self.flush()

    def cut(self) -> None:
        """End all calls with an error, and the connection."""
        for call in list(self._calls.values()):
            call.end(Status.UNAVAILABLE, "the picker is shutting down")
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once, whatever is on its way."""
        if self._transport is not None:
            self._transport.abort()

    # --- from the calls -----------------------------------------------------------------------

    def send(self, call: Call, messages: Sequence[bytes]) -> None:
        """Send messages."""
        self._core.send_all(call.id, messages)

    def end(self, call: Call, status: Status, reason: str) -> None:
        """End a call."""
        self._core.end(call.id, status, reason)
        self._close(call)

    def flush(self) -> None:
        """Write all that there is to write, at once; or with the rest, while events are handled."""
        transport = self._transport
        if transport is None or self._performing:
            return
        if data := self._core.take():
            transport.write(data)
        if self._core.finished and not transport.is_closing():
            if (failure := self._core.failure) is not None:
                _log.info("connection ended", extra={"problem": str(failure)})
            transport.close()

    def _perform(self, events: list[Event]) -> None:
        """Handle what happened, and answer all of it in one write."""
        self._performing = True
        try:
            self._handle(events)
        finally:
            self._performing = False
        self.flush()

    def _handle(self, events: list[Event]) -> None:
        calls, send = self._calls, self._core.send_all
        for event in events:
            kind = type(event)  # faster than isinstance
            if kind is Opened:
                self._open(event)  # type: ignore[arg-type]
                continue
            call = calls.get(event.stream_id)
            if call is None or (handler := call.handler) is None:
                continue
            try:
                if kind is Message:
                    replies = handler.message(event.data)  # type: ignore[union-attr]
                    if replies:
                        send(call.id, replies)
                elif kind is Ended:
                    handler.ended()
                elif kind is Gone:
                    self._close(call)
            except Exception:  # noqa: BLE001  one stream's bug must not reach the others
                self._broke(call)

    def _open(self, event: Opened) -> None:
        method = self._methods.get(event.path)
        if method is None:
            self._core.end(event.stream_id, Status.UNIMPLEMENTED, f"no method {event.path}")
            return
        call = Call(self, event.stream_id, event.authority)
        try:
            call.handler = method(call)
        except Exception:  # noqa: BLE001  the same
            self._broke(call)
            return
        self._calls[call.id] = call
        if event.timeout_s is not None and event.timeout_s < _FAR_S:
            loop = asyncio.get_running_loop()
            call.timer = loop.call_later(event.timeout_s, self._too_late, call)

    def _too_late(self, call: Call) -> None:
        self.end(call, Status.DEADLINE_EXCEEDED, "")
        self.flush()

    def _broke(self, call: Call) -> None:
        _log.exception("a stream failed")
        self.end(call, Status.UNKNOWN, "the endpoint picker failed")

    def _close(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        if call.timer is not None:
            call.timer.cancel()
        handler, call.handler = call.handler, None
        if handler is not None:
            handler.closed()
