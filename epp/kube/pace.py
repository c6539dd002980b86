"""The times and numbers of a reflector."""

from __future__ import annotations

import msgspec
from msgspec import structs

FEW = 4  # collections that one process follows for one pool


class ReflectorPace(msgspec.Struct, frozen=True, kw_only=True):
    """Those of client-go where it has them."""

    page_limit: int = 500
    watch_s: tuple[float, float] = (300.0, 600.0)  # drawn anew for each watch
    idle_s: float = 180.0  # bookmarks come about each minute
    late_s: float = 180.0  # a watch that has not ended so long after its time is given up
    relist_s: float = 600.0  # give or take a tenth
    backoff_s: float = 0.8
    max_backoff_s: float = 30.0
    # The same where nobody takes the connection: such a server has no work with being asked.
    max_absent_backoff_s: float = 3.0
    jitter: float = 0.5  # of the backoff, on top of it
    forget_failures_s: float = 120.0
    max_retry_after_s: float = 300.0
    quick_s: float = 2.0  # a watch that ends sooner did not end in the usual way
    empty_closes: int = 3  # so many of those without an event mean: list anew

    def among(self, collections: int) -> ReflectorPace:
        """Return the pace of one of so many: together they ask no more often than a few do."""
        if collections <= FEW:
            return self
        shortest_s, longest_s = self.watch_s
        share = collections / FEW
        usual = ReflectorPace().watch_s
        watch_s = min(shortest_s * share, usual[0]), min(longest_s * share, usual[1])
        return structs.replace(self, watch_s=watch_s)


# A connection can be dead without a sign: a firewall forgot it, a load balancer moved on. HTTP/1.1
# has no ping, but a watch can be asked to end soon, and one that does not end is dead.
ATTENTIVE = ReflectorPace(watch_s=(3.0, 3.0), late_s=1.5)
