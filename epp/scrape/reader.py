"""What makes a load of an answer."""

from __future__ import annotations

from typing import Protocol

from epp.pool.load import Load


class Reader(Protocol):
    """Reads the pages of one server."""

    @property
    def tells_waiting(self) -> bool:
        """Whether the pages tell how many requests wait."""
        ...

    def read(self, page: bytes, at: float) -> Load:
        """Return what `page`, arrived at the monotonic second `at`, tells; or raise ScrapeError."""
        ...
