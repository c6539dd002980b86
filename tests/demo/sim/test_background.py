from __future__ import annotations

from itertools import islice
from random import Random

from epp.demo.sim.background import arrivals


def test_requests_come_at_the_rate_that_was_asked_for() -> None:
    gaps = [gap for gap, _, _ in islice(arrivals(Random(1), 5.0), 500)]
    assert 90 < sum(gaps) < 110


def test_the_same_seed_gives_the_same_load() -> None:
    loads = [list(islice(arrivals(Random(seed), 1.0), 5)) for seed in (1, 1, 2)]
    assert loads[0] == loads[1] != loads[2]


def test_prompts_are_whole_tokens_and_share_nothing() -> None:
    prompts = [content for _, content, _ in islice(arrivals(Random(1), 1.0), 20)]
    assert all(len(content) % 4 == 0 for content in prompts)
    assert len({content[:64] for content in prompts}) == 20


def test_no_rate_is_no_load() -> None:
    assert list(arrivals(Random(1), 0.0)) == []
