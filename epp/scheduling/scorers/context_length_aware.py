"""Prefer servers that are meant for prompts of this length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.context_range import LABEL, ContextRange, context_range
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_UNLABELLED = 0.5
_OUTSIDE = 0.3  # all inside are above it, all outside below


@scorers("context-length-aware")
class ContextLengthAware(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the range of prompt lengths, `min-max` in tokens, in the endpoint's `label`.

    Above 0.3 where the prompt fits, the more the narrower the range is and the nearer the prompt is
    to its upper end; below 0.3 outside, by the distance; 0.5 without a label.
    """

    label: Annotated[str, msgspec.Meta(min_length=1)] = LABEL

    def needs(self) -> tuple[str, ...]:
        """Read the length of the prompt in the ledger."""
        return (LEDGER,)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Rate each endpoint's range."""
        tokens = query.fact(LEDGER, Workload).prompt
        ranges = [context_range(e.labels.get(self.label)) for e in endpoints]
        return [_UNLABELLED if r is None else _rate(r, tokens) for r in ranges]


def _rate(meant: ContextRange, tokens: float) -> float:
    if tokens not in meant:
        return _OUTSIDE / (1.0 + meant.distance(tokens) / 1000.0)
    narrow = 1.0 / (1.0 + meant.width / 10_000.0)
    place = (tokens - meant.least) / meant.width if meant.width else 1.0
    return _OUTSIDE + (1.0 - _OUTSIDE) * (0.7 * narrow + 0.3 * place)
