from __future__ import annotations

import pytest

from epp.scheduling.ledger.standing import Standing
from epp.scheduling.scorers.token_load import TokenLoadScorer
from tests.scheduling.books import facts
from tests.scheduling.examples import endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)


def test_what_waits_and_what_this_request_brings_count_up_to_the_threshold() -> None:
    asked = query(
        facts=facts({A: Standing(), B: Standing(to_compute=2000.0), C: Standing(to_compute=1e9)})
    )
    scores = TokenLoadScorer(queue_threshold_tokens=4000).score(asked, [A, B, C])
    assert scores == pytest.approx([0.75, 0.25, 0.0])


def test_what_is_cached_brings_nothing() -> None:
    asked = query(facts=facts({A: Standing(), B: Standing()}, {A: 10, B: 5}))
    scores = TokenLoadScorer(queue_threshold_tokens=1000).score(asked, [A, B])
    assert scores == pytest.approx([1.0, 0.5])
