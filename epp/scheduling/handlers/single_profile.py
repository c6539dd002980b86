"""Use the only profile there is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.scheduling.query import Query
from epp.scheduling.registry import profile_handlers


@profile_handlers("single-profile-handler")
class SingleProfileHandler(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Send every request through the first profile."""

    def choose(self, query: Query, profiles: Sequence[str]) -> str:
        """Return the first."""
        return profiles[0]
