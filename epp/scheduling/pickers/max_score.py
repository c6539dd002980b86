"""Take the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.cheapness import Cheapness
from epp.scheduling.registry import pickers

if TYPE_CHECKING:
    from random import Random


@pickers("max-score-picker")
class MaxScorePicker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Pick the endpoints with the highest totals; among equals, chance decides."""

    max_num_of_endpoints: Annotated[int, msgspec.Meta(ge=1)] = 1

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        """Return the best, or several, best first."""
        if self.max_num_of_endpoints == 1:  # the usual case, without a shuffle
            return [endpoints[_best(totals, rng)]]
        order = list(range(len(endpoints)))
        rng.shuffle(order)
        order.sort(key=totals.__getitem__, reverse=True)
        return [endpoints[i] for i in order[: self.max_num_of_endpoints]]


def _best(totals: Sequence[float], rng: Random) -> int:
    """Return the place of the highest total, or of one of the highest."""
    if isinstance(totals, Cheapness):
        totals = totals.costs
        best = min(totals)
    else:
        best = max(totals)
    place, equals = totals.index(best), totals.count(best)
    for _ in range(rng.randrange(equals) if equals > 1 else 0):
        place = totals.index(best, place + 1)
    return place
