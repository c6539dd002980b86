"""Models that share the requests for one, by weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
import xxhash

MAX_WEIGHT = 1_000_000
_MANTISSA_BITS = 52  # one more, and the largest fraction would be rounded up to 1


class Split(msgspec.Struct, frozen=True):
    """Models and the shares of the conversations that they get."""

    weights: Mapping[str, int]

    def choose(self, sticky_key: bytes) -> str:
        """Return the model of the conversation: each time the same.

        Rendezvous hashing: when weights change, only as many conversations change their model as
        must.
        """
        if len(self.weights) == 1:
            return next(iter(self.weights))
        return max(self.weights, key=lambda model: self._claim(model, sticky_key))

    def choose_for(self, conversation: Callable[[], str]) -> str:
        """Return the model of a conversation that is told from others only if there is a choice."""
        alone = len(self.weights) == 1
        return self.choose(b"" if alone else conversation().encode("utf-8", "surrogatepass"))

    def _claim(self, model: str, sticky_key: bytes) -> float:
        digest = xxhash.xxh3_64_intdigest(sticky_key, xxhash.xxh3_64_intdigest(model.encode()))
        fraction = ((digest >> (64 - _MANTISSA_BITS)) + 0.5) / 2**_MANTISSA_BITS
        return -self.weights[model] / math.log(fraction)
