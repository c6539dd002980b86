"""A request whose turn has not come."""

from __future__ import annotations

from collections.abc import Callable

from epp.routing.labels import Labels


class Waiting:
    """Stands for the placement that will come, unless the request leaves before."""

    __slots__ = ("_leave", "labels", "since")

    def __init__(self, labels: Labels, leave: Callable[[], None], since: float) -> None:
        self.labels = labels
        self.since = since  # monotonic seconds
        self._leave = leave

    def __repr__(self) -> str:
        return f"<Waiting {self.labels.model or '-'}>"

    def leave(self) -> None:
        """Wait no longer: the client has gone. Afterwards no placement comes."""
        self._leave()
