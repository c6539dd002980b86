"""Prefer servers that have the request's LoRA adapter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.load import LoraAdapters
from epp.scheduling.query import Query
from epp.scheduling.readings import readings
from epp.scheduling.registry import scorers

_ACTIVE, _ROOM, _WAITING = 1.0, 0.8, 0.6


@scorers("lora-affinity-scorer")
class LoraAffinityScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score 1 where the request's model is an active adapter, 0.8 where there is room to load it,
    0.6 where it already waits to be loaded, 0 elsewhere.
    """

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Look the model up among each server's adapters."""
        loras = readings(query, endpoints, lambda load: load.loras)
        return [0.0 if found is None else _rate(query.model, found) for found in loras]


def _rate(model: str, loras: LoraAdapters) -> float:
    if model in loras.running:
        return _ACTIVE
    if len(loras.running) + len(loras.waiting) < loras.max_loaded:
        return _ROOM
    return _WAITING if model in loras.waiting else 0.0
