"""Where a session's last request went."""

from __future__ import annotations

import msgspec

from epp.pool.endpoint import Endpoint


class Pin(msgspec.Struct, frozen=True):
    """The endpoint that a session belongs to; the empty pin holds none."""

    address: str = ""
    generation: int | None = None  # None: the pin outlives a restart of the picker

    def holds(self, endpoint: Endpoint) -> bool:
        """Say whether this is the endpoint, and not a later one with its address."""
        return self.address == endpoint.address and self.generation in {None, endpoint.generation}
