from __future__ import annotations

import msgspec
import pytest

from epp.scheduling.pin import Pin
from epp.scheduling.producers.session_id import SESSION_ID
from epp.scheduling.producers.session_token import SESSION_TOKEN
from epp.scheduling.registry import scorers
from epp.scheduling.scorers.session_affinity import SessionAffinityScorer
from tests.scheduling.examples import query, unknown

A, B = unknown(1), unknown(2)


def test_the_pinned_endpoint_gets_everything() -> None:
    asked = query(facts={SESSION_TOKEN: Pin(B.address)})
    assert SessionAffinityScorer().score(asked, [A, B]) == [0.0, 1.0]


def test_without_a_pin_all_are_equal() -> None:
    asked = query(facts={SESSION_TOKEN: Pin()})
    assert SessionAffinityScorer().score(asked, [A, B]) == [0.0, 0.0]


def test_the_strategy_chooses_the_producer() -> None:
    scorer = SessionAffinityScorer(strategy="session_id")
    assert scorer.needs() == (SESSION_ID,)
    assert scorer.score(query(facts={SESSION_ID: Pin(A.address, 1)}), [A, B]) == [1.0, 0.0]
    assert SessionAffinityScorer().needs() == (SESSION_TOKEN,)


def test_an_unknown_strategy_is_refused_at_load() -> None:
    with pytest.raises(msgspec.ValidationError, match="strategy"):
        scorers.make("session-affinity-scorer", {"strategy": "cookie"})
