"""What an API server, or the way to it, can answer instead of what was asked for."""

from __future__ import annotations

import msgspec

# What msgspec raises at bytes that are not the JSON that was promised.
NOT_AS_PROMISED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class KubeError(Exception):
    """A request that failed; `status` is 0 where no HTTP answer came."""

    def __init__(
        self, message: str, *, status: int = 0, reason: str = "", retry_after_s: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s

    @property
    def gone(self) -> bool:
        """Whether the resource version that was asked for is no longer known to the server."""
        return self.status == 410 or self.reason in ("Expired", "Gone")


class AccessError(KubeError):
    """No way to the server: the message names the file or plugin, and what to do about it."""


class UnreachableError(KubeError):
    """No answer, or one that was cut: refused, reset, closed too early, too slow."""


class AbsentError(UnreachableError):
    """Nobody takes the connection."""


class StalledError(UnreachableError):
    """The connection stands, and nothing comes."""


class UnreadableError(KubeError):
    """An answer that is not what the API promises."""


class ReportedError(KubeError):
    """An ERROR event: the server ends a watch that had begun."""
