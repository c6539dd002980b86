"""What a cost goes by: the best that can be had at the moment."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.query import Query


class Basis(enum.Enum):
    """The rungs, best first."""

    PRECISE = "precise"  # marginal cost; the servers told what they have cached
    APPROXIMATE = "approximate"  # marginal cost; what is cached is guessed from earlier picks
    LOAD = "load"  # tokens times requests: the coefficients are far from what is observed
    TWO_CHOICES = "two-choices"  # fewer requests of two that are drawn: the prompt is not known
    METRICS = "metrics"  # queues, caches and prefixes: the ledger is younger than the requests
    LEDGER = "ledger"  # marginal cost without any recent metrics to correct the books


def basis_of(
    query: Query, workload: Workload, matches: PrefixMatches, endpoints: Sequence[Endpoint]
) -> Basis:
    """Return the rung on which these endpoints can be compared for this request."""
    if workload.young:
        return Basis.METRICS
    if workload.prompt <= 0.0:
        return Basis.TWO_CHOICES
    if not workload.plausible:
        return Basis.LOAD
    now, max_age_s = query.now, query.max_load_age_s
    if not any(e.fresh_load(now, max_age_s) for e in endpoints):
        return Basis.LEDGER
    return Basis.PRECISE if matches.precise else Basis.APPROXIMATE
