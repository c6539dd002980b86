"""Server-sent events, cut out of a byte stream that arrives in any pieces."""

from __future__ import annotations

_DATA = b"data:"
_DONE = b"[DONE]"
_LF, _CR = b"\n\r"  # a byte in bytes is found ten times as fast as bytes in them


class EventReader:
    """Bytes in, the data of complete events out. `[DONE]` is the end, not an event.

    Memory is bounded: a line or an event over the limit is left out as if it had not been sent.
    """

    __slots__ = ("_after_cr", "_data", "_data_bytes", "_limit_bytes", "_line", "_overlong")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._line = bytearray()  # what is there of the current line
        self._overlong = False  # the current line is over the limit
        self._data: list[bytes] = []  # the data lines of the current event
        self._data_bytes = 0
        self._after_cr = False

    @property
    def between(self) -> bool:
        """Whether nothing is held of an event."""
        return not (self._line or self._overlong or self._data_bytes or self._after_cr)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece and return the events that it completes."""
        if (whole := self._whole(data)) is not None:
            return whole
        if not data:
            return []
        after_cr, self._after_cr = self._after_cr, data.endswith(b"\r")
        if after_cr:
            data = data.removeprefix(b"\n")  # the second half of a CR LF
        lines = data.splitlines()
        rest = lines.pop() if data and not data.endswith((b"\n", b"\r")) else b""
        events = [event for line in lines if (event := self._end_line(line))]
        self._keep(rest)
        return events

    def end(self) -> list[bytes]:
        """Return an event that lacks its final line break. (A browser would drop it.)"""
        return [] if self.between else self.feed(b"\n\n")

    def _whole(self, data: bytes) -> list[bytes] | None:
        """Return the events of what comes as servers write it: whole, each of one line."""
        if (
            not data.endswith(b"\n\n")
            or len(data) > self._limit_bytes
            or _CR in data
            or not self.between
        ):
            return None
        if data.count(b"\n") == 2 and data.startswith(_DATA):  # one event, as of most chunks
            payload = data[len(_DATA) : -2].strip()
            return [payload] if payload and payload != _DONE else []
        events = []
        for event in data[:-2].split(b"\n\n"):
            if not event.startswith(_DATA) or _LF in event:
                return None
            payload = event[len(_DATA) :].strip()
            if payload and payload != _DONE:
                events.append(payload)
        return events

    def _end_line(self, line: bytes) -> bytes | None:
        """Take the end of a line; return the event if that was its last."""
        if self._line or self._overlong or len(line) > self._limit_bytes:
            self._keep(line)
            line, overlong = bytes(self._line), self._overlong
            self._line.clear()
            self._overlong = False
            if overlong:
                return None
        if not line:
            return self._dispatch()
        if line.startswith(_DATA):
            self._add(line[5:])
        return None

    def _keep(self, piece: bytes) -> None:
        if self._overlong or len(self._line) + len(piece) > self._limit_bytes:
            self._line.clear()
            self._overlong = True
        else:
            self._line += piece

    def _add(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if self._data_bytes <= self._limit_bytes:
            self._data.append(value)
        else:
            self._data.clear()

    def _dispatch(self) -> bytes | None:
        payload = b"\n".join(self._data).strip()
        self._data.clear()
        self._data_bytes = 0
        return payload if payload != _DONE else None
