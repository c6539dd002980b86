"""Facts of the ledger and of the index, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER


def workload(standings: Mapping[Endpoint, Standing], **known: Any) -> Workload:
    """Return the books with these standings; the prompt has 1,000 tokens."""
    named = {endpoint.address: standing for endpoint, standing in standings.items()}
    rates = {address: standing.rates() for address, standing in named.items()}
    return Workload(named, rates, **{"prompt": 1000.0, "output": 100.0, **known})


def cached(tenths: Mapping[Endpoint, int]) -> PrefixMatches:
    """Return matches by which these endpoints have so many tenths of the prompt."""
    matched = {endpoint.address: count for endpoint, count in tenths.items()}
    return PrefixMatches(range(10), Cut(100), matched, {}, 1000.0)


def facts(
    standings: Mapping[Endpoint, Standing] = {},
    tenths: Mapping[Endpoint, int] = {},
    **known: Any,
) -> dict[str, object]:
    """Return the facts of both."""
    return {LEDGER: workload(standings, **known), APPROX_PREFIX: cached(tenths)}
