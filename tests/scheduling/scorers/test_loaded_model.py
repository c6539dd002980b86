from __future__ import annotations

import pytest

from epp.scheduling.scorers.loaded_model import LoadedModelScorer
from tests.scheduling.examples import endpoint, query, stale, unknown


def names(*models: str) -> frozenset[str]:
    return frozenset(models)


@pytest.mark.parametrize(
    ("load", "score"),
    [
        ({"loaded": names("qwen")}, 1.0),
        ({"loaded": names("qwen", "llama")}, 1.0),
        ({"loaded": names()}, 0.5),
        ({"loaded": names("llama")}, 0.0),
        ({"loaded": names("qwen"), "models": names("qwen", "llama")}, 1.0),
        ({"loaded": names(), "models": names("qwen")}, 0.5),
        ({"loaded": names(), "models": names("llama")}, 0.0),
        ({"models": names("qwen")}, 1.0),
        ({"models": names("llama")}, 0.0),
        ({"waiting": 3}, 1.0),
    ],
)
def test_in_memory_beats_an_empty_memory_beats_one_to_be_emptied(
    load: dict[str, frozenset[str]], score: float
) -> None:
    assert LoadedModelScorer().score(query(model="qwen"), [endpoint(1, **load)]) == [score]


def test_what_was_told_last_counts_however_old() -> None:
    pool = [stale(1, loaded=names("qwen")), stale(2, loaded=names("llama"))]
    assert LoadedModelScorer().score(query(model="qwen"), pool) == [1.0, 0.0]


def test_among_servers_that_tell_nothing_of_it_it_changes_no_order() -> None:
    pool = [unknown(1), stale(2, waiting=1), endpoint(3, waiting=0, models=names("qwen"))]
    assert LoadedModelScorer().score(query(model="qwen"), pool) == [1.0, 1.0, 1.0]
