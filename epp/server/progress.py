"""The tokens of an answer, and when they came."""

from __future__ import annotations

from collections.abc import Callable

from epp.exchange.events import Headers
from epp.openai.answer import AnswerReader


class Progress:
    """Reads an answer and keeps the times of its first and of its last token.

    An answer that is no stream has no first token that could be seen.
    """

    __slots__ = ("_last_at", "first_token_at", "reader")

    def __init__(self, headers: Headers, operation: str) -> None:
        self.reader = AnswerReader(
            headers.get("content-type", ""),
            operation=operation,
            encoding=headers.get("content-encoding", ""),
        )
        self.first_token_at: float | None = None
        self._last_at = 0.0

    def feed(self, data: bytes, clock: Callable[[], float]) -> None:
        """Read the next piece."""
        reader = self.reader
        before = reader.generated
        reader.feed(data)
        if reader.generated != before:
            self._last_at = clock()
            if self.first_token_at is None:
                self.first_token_at = self._last_at

    def tokens(self) -> int:
        """Return how many there were: as the server says, or if it does not, as were seen."""
        usage = self.reader.usage
        told = usage.completion_tokens if usage is not None else None
        return told or self.reader.generated

    def itl_s(self) -> float | None:
        """Return the mean time from one token to the next; None: there were no two."""
        tokens = self.tokens()
        if self.first_token_at is None or tokens < 2:
            return None
        return (self._last_at - self.first_token_at) / (tokens - 1)
