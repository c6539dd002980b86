"""The picks whose requests are still on their way."""

from __future__ import annotations


class Issued:
    """Recognises a request that the picker has placed already.

    A gateway may run the same filter twice for one request. The second call carries the first
    one's destination; a client cannot have it accepted, because only a pair of request id and
    address that was given out and is still open counts.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, pick: tuple[str, str]) -> bool:
        return pick in self._open

    def add(self, pick: tuple[str, str]) -> None:
        """Open a pick: request id and destination."""
        self._open[pick] = self._open.get(pick, 0) + 1

    def remove(self, pick: tuple[str, str]) -> None:
        """Close a pick."""
        left = self._open.pop(pick, 0) - 1
        if left > 0:
            self._open[pick] = left
