"""Which models the endpoints have."""

from __future__ import annotations

from epp.pool.load import Load


class Repertoires:
    """Finds out whether endpoints differ in their models: most pools never do, and then a choice
    need not look.
    """

    def __init__(self) -> None:
        self._usual: frozenset[str] | None = None  # what the first one lists
        self._unlike: set[str] = set()

    def __repr__(self) -> str:
        return f"<Repertoires, {len(self._unlike)} unlike the first>"

    @property
    def differ(self) -> bool:
        """Whether one lists others than the first, or tells which of its models are in memory."""
        return bool(self._unlike)

    def read(self, address: str, load: Load) -> None:
        """Take note of what an endpoint says."""
        if load.models is None and load.loaded is None:
            return
        if self._usual is None:
            self._usual = load.models
        if load.loaded is not None or load.models != self._usual:
            self._unlike.add(address)
        elif self._unlike:
            self._unlike.discard(address)

    def forget(self, address: str) -> None:
        """Drop an endpoint that left."""
        self._unlike.discard(address)
