"""How much may wait."""

from __future__ import annotations

import msgspec


class RoomLimits(msgspec.Struct, frozen=True):
    """Requests, and the bytes of their bodies."""

    requests: int = 5_000
    size_bytes: int = 1_000_000_000

    def allow(self, others: int, size_bytes: int) -> bool:
        """Tell whether one may join `others` if that makes it so many bytes."""
        return others < self.requests and size_bytes <= self.size_bytes
