from __future__ import annotations

import pytest
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.scheduling.scorers.context_length_aware import ContextLengthAware
from tests.scheduling.books import facts
from tests.scheduling.examples import endpoint, query

LABEL = "llm-d.ai/context-length-range"


def meant(number: int, text: str, label: str = LABEL) -> Endpoint:
    return structs.replace(endpoint(number), labels={label: text})


def scores(tokens: float, *pool: Endpoint) -> list[float]:
    return ContextLengthAware().score(query(facts=facts(prompt=tokens)), pool)


def test_a_narrow_range_is_better_than_a_wide_one_and_both_than_none() -> None:
    narrow, wide, outside = scores(
        1000, meant(1, "0-2048"), meant(2, "0-131072"), meant(3, "2048-8192")
    )
    assert narrow > wide > 0.3 > outside > 0.0


def test_outside_the_nearest_is_best() -> None:
    near, far = scores(9000, meant(1, "0-8192"), meant(2, "0-2048"))
    assert 0.3 > near > far > 0.0


def test_the_upper_end_of_a_range_is_what_it_is_for() -> None:
    low, high = scores(2000, meant(1, "2000-4000"), meant(2, "0-2000"))
    assert high - low == pytest.approx(0.7 * 0.3)


def test_without_a_range_the_score_is_neutral() -> None:
    assert scores(1000, endpoint(1), meant(2, "whatever")) == [0.5, 0.5]


def test_the_label_can_be_another() -> None:
    pool = [meant(1, "0-2048", "my/range")]
    asked = query(facts=facts(prompt=1000))
    assert ContextLengthAware(label="my/range").score(asked, pool)[0] > 0.5
