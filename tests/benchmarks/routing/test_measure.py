from __future__ import annotations

import pytest
from msgspec import structs

from benchmarks.routing.job import Job
from benchmarks.routing.measure import Targets, measure
from tests.benchmarks.routing.requests import request


def answered(number: int, first_at: float, *, tokens: int = 1000, **client: object) -> Job:
    job = Job(structs.replace(request(number, tokens, 11), **client))
    job.first_at, job.finished_at = first_at, first_at + 0.1
    return job


def refused(number: int, **client: object) -> Job:
    job = Job(structs.replace(request(number, 1000, 11), **client))
    job.refuse()
    return job


def test_what_was_refused_is_no_good_and_has_no_times() -> None:
    found = measure([answered(0, 1.0), refused(1)], [0.0, 0.0], Targets(), 0)
    assert (found.goodput, found.refused, found.ttft_p99) == (0.5, 0.5, 1.0)


@pytest.mark.parametrize(("ttft_token_s", "goodput"), [(0.0, 0.0), (1e-3, 1.0)])
def test_a_longer_prompt_may_have_more_time(ttft_token_s: float, goodput: float) -> None:
    targets = Targets(2.0, 0.05, ttft_token_s)
    assert measure([answered(0, 2.9)], [0.0], targets, 0).goodput == goodput


def test_goodput_is_told_of_each_flow_and_each_priority() -> None:
    jobs = [
        answered(0, 1.0, flow="a", priority=1),
        answered(1, 9.0, flow="a", priority=-1),
        refused(2, flow="b", priority=-1),
    ]
    found = measure(jobs, [0.0] * 3, Targets(), 0)
    assert found.groups == {"a": 0.5, "b": 0.0, "priority -1": 0.0, "priority 1": 1.0}
