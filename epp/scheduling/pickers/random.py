"""Draw lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.registry import pickers

if TYPE_CHECKING:
    from random import Random


@pickers("random-picker")
class RandomPicker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Pick any endpoint, whatever the totals."""

    max_num_of_endpoints: Annotated[int, msgspec.Meta(ge=1)] = 1

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        """Return a sample."""
        return rng.sample(endpoints, min(self.max_num_of_endpoints, len(endpoints)))
