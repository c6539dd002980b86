from __future__ import annotations

import pytest

from epp.pool.load import LoraAdapters
from epp.scheduling.scorers.lora_affinity import LoraAffinityScorer
from tests.scheduling.examples import endpoint, query, unknown


def adapters(running: str = "", waiting: str = "", max_loaded: int = 2) -> LoraAdapters:
    return LoraAdapters(frozenset(running.split()), frozenset(waiting.split()), max_loaded)


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (adapters(running="sql de"), 1.0),
        (adapters(running="sql", waiting="sql"), 1.0),
        (adapters(), 0.8),
        (adapters(waiting="sql"), 0.8),
        (adapters(running="de", waiting="sql"), 0.6),
        (adapters(running="de fr"), 0.0),
        (adapters(running="de", waiting="fr"), 0.0),
        (adapters(max_loaded=0), 0.0),
    ],
)
def test_active_beats_room_beats_waiting_beats_none(found: LoraAdapters, score: float) -> None:
    asked = query(model="sql")
    assert LoraAffinityScorer().score(asked, [endpoint(1, loras=found)]) == [score]


def test_a_server_that_does_not_tell_its_adapters_scores_zero() -> None:
    assert LoraAffinityScorer().score(query(), [unknown(1), endpoint(2, waiting=0)]) == [0.0, 0.0]
