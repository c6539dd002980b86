"""What came of listening to the model servers, in numbers."""

from __future__ import annotations

from collections import Counter

import msgspec


class Tally(msgspec.Struct, gc=False):
    """Counts for the metrics. By address, where it is one endpoint's affair."""

    garbage: Counter[str] = msgspec.field(default_factory=Counter)  # messages that are none
    unmatched: int = 0  # messages whose topic no endpoint has
    connections: Counter[str] = msgspec.field(default_factory=Counter)
    replays: Counter[str] = msgspec.field(default_factory=Counter)  # that came to their end
    failed_replays: Counter[str] = msgspec.field(default_factory=Counter)
    replayed: Counter[str] = msgspec.field(default_factory=Counter)  # messages
    errors: Counter[str] = msgspec.field(default_factory=Counter)  # of sockets, by operation

    def forget(self, address: str) -> None:
        """Drop the numbers of an endpoint that left."""
        for counts in (
            self.garbage,
            self.connections,
            self.replays,
            self.failed_replays,
            self.replayed,
        ):
            counts.pop(address, None)
