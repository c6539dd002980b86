"""What finds endpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from epp.pool.endpoint import Endpoint

Publish: TypeAlias = Callable[[Sequence[Endpoint]], None]
"""Takes the whole set, never a difference: what is not in it has left."""


class Source(Protocol):
    """A list of endpoints, a file, or a cluster."""

    async def run(self, publish: Publish) -> None:
        """Publish the set at first and whenever it changes, until cancelled.

        The pool is ready with the first call of `publish`. Trouble after it leaves the last set
        standing. Returns only if the set can never change.
        """
