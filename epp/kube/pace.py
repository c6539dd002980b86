"""The times and numbers of a reflector."""

from __future__ import annotations

import msgspec


class ReflectorPace(msgspec.Struct, frozen=True, kw_only=True):
    """Those of client-go where it has them."""

    page_limit: int = 500
    watch_s: tuple[float, float] = (300.0, 600.0)  # drawn anew for each watch
    idle_s: float = 180.0  # bookmarks come about each minute
    relist_s: float = 600.0  # give or take a tenth
    backoff_s: float = 0.8
    max_backoff_s: float = 30.0
    jitter: float = 0.5  # of the backoff, on top of it
    forget_failures_s: float = 120.0
    max_retry_after_s: float = 300.0
    quick_s: float = 2.0  # a watch that ends sooner did not end in the usual way
    empty_closes: int = 3  # so many of those without an event mean: list anew
