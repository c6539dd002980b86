from __future__ import annotations

from typing import Any

import pytest

from epp.scheduling.cost.basis import Basis, basis_of
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from tests.scheduling.examples import endpoint, query, stale, unknown

FRESH, OLD = [endpoint(1), stale(2)], [stale(1), unknown(2)]


def basis(pool: list[Any], precise: bool = False, **known: Any) -> Basis:
    load = Workload(**{"prompt": 100.0, **known})
    matches = PrefixMatches(precise={e.address for e in pool} if precise else ())
    return basis_of(query("a prompt"), load, matches, pool)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (basis(FRESH, precise=True), Basis.PRECISE),
        (basis(FRESH), Basis.APPROXIMATE),
        (basis(OLD), Basis.LEDGER),
        (basis(OLD, precise=True), Basis.LEDGER),
        (basis(FRESH, plausible=False), Basis.LOAD),
        (basis(FRESH, prompt=0.0), Basis.TWO_CHOICES),
        (basis(FRESH, young=True), Basis.METRICS),
        (basis(FRESH, young=True, prompt=0.0, plausible=False), Basis.METRICS),
    ],
)
def test_the_best_that_can_be_had_is_taken(found: Basis, wanted: Basis) -> None:
    assert found is wanted
