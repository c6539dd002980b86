"""Draw lots, weighted by the totals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.registry import pickers

if TYPE_CHECKING:
    from random import Random


@pickers("weighted-random-picker")
class WeightedRandomPicker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Pick with probabilities proportional to the totals; uniformly if none is above 0."""

    max_num_of_endpoints: Annotated[int, msgspec.Meta(ge=1)] = 1

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        """Return the endpoints with the highest keys U^(1/total) (Efraimidis and Spirakis)."""
        keys = [_key(total, rng) for total in totals]
        order = sorted(range(len(endpoints)), key=keys.__getitem__, reverse=True)
        return [endpoints[i] for i in order[: self.max_num_of_endpoints]]


def _key(total: float, rng: Random) -> tuple[bool, float]:
    chance = 1.0 - rng.random()  # not 0, which has no logarithm
    # The logarithm has the same order and does not vanish for small totals as the power does.
    return (True, math.log(chance) / total) if total > 0.0 else (False, chance)
