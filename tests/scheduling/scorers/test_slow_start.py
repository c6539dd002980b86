from __future__ import annotations

from epp.scheduling.scorers.slow_start import SlowStartScorer
from tests.scheduling.books import facts
from tests.scheduling.examples import endpoint, query

A, B = endpoint(1), endpoint(2)


def test_an_endpoint_scores_by_how_warm_it_is() -> None:
    asked = query(facts=facts(ramps={A.address: 0.25}))
    assert SlowStartScorer().score(asked, [A, B]) == [0.25, 1.0]
