"""Prefer servers that have the request's model in memory."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_LOADED, _EMPTY, _OTHER = 1.0, 0.5, 0.0


@scorers("loaded-model-scorer")
class LoadedModelScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score 1 where the request's model is in memory, 0.5 where none is, 0 where another one would
    have to make room for it.

    Servers that do not swap models, as Ollama does, have theirs in memory always; so has one that
    has not told anything yet. 0 where the server does not serve the model at all. What was told
    last counts, however old: nothing leaves memory because a reading failed.
    """

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Look the model up among those in each server's memory."""
        model = query.model
        return [
            _LOADED
            if (load := endpoint.load) is None
            or (load.loaded is None and (load.models is None or model in load.models))
            else _rate(model, load)
            for endpoint in endpoints
        ]


def _rate(model: str, load: Load) -> float:
    if load.models is not None and model not in load.models:
        return _OTHER
    if load.loaded is None or model in load.loaded:
        return _LOADED
    return _OTHER if load.loaded else _EMPTY
