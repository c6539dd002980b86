"""Whether a peer still does what it must in time."""

from __future__ import annotations

from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.guards import (
    IDLE_S,
    KEEPALIVE_ANSWER_S,
    KEEPALIVE_S,
    PREFACE_S,
    SETTINGS_ANSWER_S,
)


class Vigil:
    """Watches one connection's peer."""

    __slots__ = ("_asked_at", "_opened_at", "_used_at", "begun", "heard_at")

    def __init__(self, now: float) -> None:
        self._opened_at = self._used_at = self.heard_at = now
        self._asked_at: float | None = None
        self.begun = False  # the peer has said that it speaks HTTP/2

    def ask(self, now: float, *, settled: bool) -> bool:
        """Whether it is time to ask for a sign of life; Http2ConnectionError if it is too late."""
        self._check_start(now, settled=settled)
        asked_at = self._asked_at
        if asked_at is not None and self.heard_at >= asked_at:
            asked_at = self._asked_at = None
        if asked_at is not None:
            if now - asked_at >= KEEPALIVE_ANSWER_S:
                raise Http2ConnectionError(ErrorCode.NO_ERROR, "the peer is gone without a word")
            return False
        if not settled or now - self.heard_at < KEEPALIVE_S:
            return False
        self._asked_at = now
        return True

    def idle(self, now: float, *, streams: int) -> bool:
        """Whether nobody has needed the connection for long."""
        if streams:
            self._used_at = now
        return now - self._used_at >= IDLE_S

    def _check_start(self, now: float, *, settled: bool) -> None:
        waited = now - self._opened_at
        if not self.begun and waited >= PREFACE_S:
            raise Http2ConnectionError(ErrorCode.SETTINGS_TIMEOUT, "the peer does not say HTTP/2")
        if not settled and waited >= SETTINGS_ANSWER_S:
            raise Http2ConnectionError(ErrorCode.SETTINGS_TIMEOUT, "no answer to our settings")
