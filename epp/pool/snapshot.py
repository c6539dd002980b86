"""The pool as one request sees it."""

from __future__ import annotations

import msgspec

from epp.pool.endpoint import Endpoint


class Snapshot(msgspec.Struct, frozen=True, eq=False):
    """All endpoints at one moment, in the order in which they joined."""

    endpoints: tuple[Endpoint, ...] = ()

    def __len__(self) -> int:
        return len(self.endpoints)
