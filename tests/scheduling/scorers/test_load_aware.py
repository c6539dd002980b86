from __future__ import annotations

import msgspec
import pytest

from epp.scheduling.registry import scorers
from epp.scheduling.scorers.load_aware import LoadAwareScorer
from tests.scheduling.examples import endpoint, query, unknown


@pytest.mark.parametrize(
    ("waiting", "score"), [(0, 0.5), (64, 0.25), (128, 0.0), (10**400, 0.0), (-3, 0.5)]
)
def test_the_score_falls_from_a_half_to_zero_at_the_threshold(waiting: int, score: float) -> None:
    assert LoadAwareScorer().score(query(), [endpoint(1, waiting=waiting)]) == [score]


def test_the_threshold_is_a_parameter() -> None:
    assert LoadAwareScorer(threshold=4).score(query(), [endpoint(1, waiting=1)]) == [0.375]


def test_an_endpoint_of_unknown_load_scores_zero() -> None:
    assert LoadAwareScorer().score(query(), [unknown(1), endpoint(2)]) == [0.0, 0.0]


def test_a_threshold_of_zero_is_refused_at_load() -> None:
    with pytest.raises(msgspec.ValidationError, match="threshold"):
        scorers.make("load-aware-scorer", {"threshold": 0})
