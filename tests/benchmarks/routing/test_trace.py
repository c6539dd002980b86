from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.routing.trace import EXCERPT, Trace, load
from tests.benchmarks.routing.requests import request


@pytest.fixture
def trace() -> Trace:
    return Trace("t", tuple(request(n, 100, at=3.0 * (n // 2)) for n in range(8)), 3.0)


def test_mooncakes_lines_are_read() -> None:
    trace = load(EXCERPT)
    assert len(trace.requests) == 600
    first = trace.requests[0]
    assert (first.number, first.at) == (0, 0.0)
    assert all(len(r.ids) == -(-r.input_tokens // 512) for r in trace.requests)
    assert 2.0 < trace.qps < 4.0


def test_azures_lines_are_read_and_share_no_prefix(tmp_path: Path) -> None:
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,374,44\n"
        "2023-11-16 18:15:50.9951690,1396,109\n"
    )
    one, two = load(path).requests
    assert (one.at, one.input_tokens, one.output_tokens) == (0.0, 374, 44)
    assert two.at == pytest.approx(4.314579)
    assert len(two.ids) == 3
    assert not set(one.ids) & set(two.ids)


def test_a_part_counts_from_its_own_beginning(trace: Trace) -> None:
    part = trace.part(0.5, 1.0)
    assert [(r.number, r.at, r.ids) for r in part.requests[::2]] == [
        (0, 0.0, (4000,)),
        (2, 3.0, (6000,)),
    ]


def test_every_other_conversation_has_all_its_turns() -> None:
    whole = load(EXCERPT)
    half = whole.every(2)
    kept = {r.conversation for r in half.requests}
    assert [r.ids for r in half.requests] == [
        r.ids for r in whole.requests if r.conversation in kept
    ]
    names = list(dict.fromkeys(r.conversation for r in whole.requests))
    assert kept == set(names[::2])
    assert [r.number for r in half.requests] == list(range(len(half.requests)))
    assert [r.ids for r in whole.every(1).requests] == [r.ids for r in whole.requests]


def test_a_higher_rate_is_the_same_in_less_time(trace: Trace) -> None:
    arrivals = trace.arrivals(2 * trace.qps, None)
    assert [r.at for r in arrivals] == [r.at / 2 for r in trace.requests]


def test_a_seed_moves_each_arrival_within_its_tick(trace: Trace) -> None:
    arrivals = trace.arrivals(trace.qps, random.Random(1))
    assert arrivals == sorted(arrivals, key=lambda r: r.at)
    assert [r.number for r in arrivals] == list(range(8))
    for before, after in zip(trace.requests, sorted(arrivals, key=lambda r: r.ids), strict=True):
        assert before.at <= after.at <= before.at + 3.0


def test_the_seed_decides(trace: Trace) -> None:
    def times(seed: int) -> list[float]:
        return [r.at for r in trace.arrivals(1.0, random.Random(seed))]

    assert times(1) == times(1) != times(2)
