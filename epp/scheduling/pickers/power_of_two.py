"""Take the better of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.registry import pickers

if TYPE_CHECKING:
    from random import Random


@pickers("power-of-two-picker")
class PowerOfTwoPicker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Draw two endpoints and pick the one with the higher total.

    Several pickers that see the same old metrics then do not all choose the same endpoint.
    """

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        """Return the better of two distinct endpoints, or the only one."""
        pair = rng.sample(range(len(endpoints)), min(2, len(endpoints)))
        return [endpoints[max(pair, key=totals.__getitem__)]]
