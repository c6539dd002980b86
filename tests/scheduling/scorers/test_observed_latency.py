from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.decision import Outcome
from epp.scheduling.producers.observed_latency import OBSERVED_LATENCY, ObservedLatencyProducer
from epp.scheduling.query import Query
from epp.scheduling.scorers.observed_latency import ObservedLatencyScorer
from tests.scheduling.examples import NOW, decision, endpoint, query

POOL = [endpoint(1), endpoint(2), endpoint(3)]
SECONDS = st.floats(1e-6, 1e6)


class Seen:
    """Answers that endpoints gave, by their index."""

    def __init__(self) -> None:
        self.producer = ObservedLatencyProducer(ObservedLatencyProducer.Parameters())

    def took(self, index: int, ttft_s: float, itl_s: float | None, now: float = NOW) -> None:
        outcome = Outcome(200, completed=True, ttft_s=ttft_s, itl_s=itl_s)
        picked = decision(POOL[index])
        self.producer.reserve(query(), picked, self.producer.produce(query(), POOL))
        self.producer.release(query(), picked, None, outcome, now)

    def asked(self, now: float = NOW) -> Query:
        asked = query(now=now)
        return query(now=now, facts={OBSERVED_LATENCY: self.producer.produce(asked, POOL)})


def test_nobody_is_preferred_before_anything_was_seen() -> None:
    assert ObservedLatencyScorer().score(Seen().asked(), POOL) == [1.0, 1.0, 1.0]


def test_the_fastest_has_1_and_one_that_takes_twice_as_long_about_a_half() -> None:
    seen = Seen()
    for _ in range(100):
        for index, seconds in enumerate((1.0, 2.0, 1.02)):
            seen.took(index, seconds, seconds / 10)
    assert ObservedLatencyScorer().score(seen.asked(), POOL) == pytest.approx(
        [1.0, 0.57, 1.0], abs=0.03
    )


def test_each_time_has_its_weight() -> None:
    seen = Seen()
    for _ in range(100):
        seen.took(0, 1.0, 0.4)
        seen.took(1, 4.0, 0.1)
    of_ttft = ObservedLatencyScorer(itl_weight=0.0).score(seen.asked(), POOL)
    of_tokens = ObservedLatencyScorer(ttft_weight=0.0).score(seen.asked(), POOL)
    assert of_ttft[0] > 2 * of_ttft[1]
    assert of_tokens[1] > 2 * of_tokens[0]
    assert ObservedLatencyScorer(ttft_weight=0.0, itl_weight=0.0).score(seen.asked(), POOL) == [
        1.0,
        1.0,
        1.0,
    ]


def test_one_that_was_slow_once_is_tried_again() -> None:
    seen = Seen()
    for _ in range(10):
        seen.took(0, 30.0, None)
    now = NOW
    while ObservedLatencyScorer().score(seen.asked(now), POOL)[0] < 1.0:
        now += 1.0
        seen.took(1, 1.0, None, now)
        seen.took(2, 1.0, None, now)
        assert now < NOW + 600


@given(
    st.lists(st.tuples(st.integers(0, 2), SECONDS, SECONDS | st.none(), st.floats(0, 1e4))),
    st.floats(0, 10),
    st.floats(0, 10),
)
def test_scores_are_from_0_to_1_and_somebody_has_the_best_of_each_time(
    answers: list[tuple[int, float, float | None, float]], ttft: float, itl: float
) -> None:
    seen = Seen()
    for index, ttft_s, itl_s, passed in answers:
        seen.took(index, ttft_s, itl_s, NOW + passed)
    scorer = ObservedLatencyScorer(ttft_weight=ttft, itl_weight=itl)
    scores = scorer.score(seen.asked(NOW + 1e4), POOL)
    assert len(scores) == len(POOL)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert max(ObservedLatencyScorer(itl_weight=0.0).score(seen.asked(NOW + 1e4), POOL)) == 1.0
