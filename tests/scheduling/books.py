"""Facts of the ledger and of the index, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.board import Board
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER


def board(standings: Mapping[str, Standing]) -> Board:
    """Return a board with these standings, by address."""
    found = Board()
    for address, standing in standings.items():
        found.put(address, standing)
    return found


def workload(standings: Mapping[Endpoint, Standing], **known: Any) -> Workload:
    """Return the books with these standings; the prompt has 1,000 tokens."""
    entered = board({endpoint.address: standing for endpoint, standing in standings.items()})
    return Workload(entered, **{"prompt": 1000.0, "output": 100.0, **known})


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
