from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from epp.scheduling.readings import fewest_best, readings
from tests.scheduling.examples import endpoint, query, stale, unknown


def test_what_is_missing_too_old_or_not_offered_is_unknown() -> None:
    pool = [endpoint(1, waiting=3), unknown(2), stale(3, waiting=0), endpoint(4, running=1)]
    assert readings(query(), pool, lambda load: load.waiting) == [3, None, None, None]


def test_how_old_is_too_old_is_a_matter_of_the_query() -> None:
    pool = [stale(1, waiting=7)]
    found = readings(query(max_load_age_s=3600.0), pool, lambda load: load.waiting)
    assert found == [7]


def test_the_fewest_are_best_and_the_rest_is_in_proportion() -> None:
    assert fewest_best([4, 0, 1]) == [0.0, 1.0, 0.75]


def test_equal_counts_are_all_best() -> None:
    assert fewest_best([7, 7]) == [1.0, 1.0]


def test_an_unknown_count_is_worst_among_known_ones() -> None:
    assert fewest_best([None, 7, 7]) == [0.0, 1.0, 1.0]
    assert fewest_best([None, 9, 7]) == [0.0, 0.0, 1.0]


def test_unknown_counts_are_alike() -> None:
    assert fewest_best([None, None]) == [0.0, 0.0]
    assert fewest_best([]) == []


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(), max_size=8))
def test_fewer_is_never_worse(counts: list[int | None]) -> None:
    scores = fewest_best(counts)
    assert all(0.0 <= score <= 1.0 for score in scores)
    known = sorted((c, -s) for c, s in zip(counts, scores, strict=True) if c is not None)
    assert [s for _, s in known] == sorted(s for _, s in known)
