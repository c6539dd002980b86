from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks.routing.fleet import NOTICE_S, RETRY_S, Fleet, FleetModel
from benchmarks.routing.pod import PodModel, Reading
from benchmarks.routing.policies.policy import End
from benchmarks.routing.trace import Request
from tests.benchmarks.routing.requests import request


class Scripted:
    """Sends each request to the pod that its number says, and writes down all it is told."""

    def __init__(self) -> None:
        self.pods: list[int] = []
        self.readings: list[tuple[int, float, int]] = []
        self.told: list[tuple[str, int, float]] = []

    def join(self, pod: int) -> None:
        self.pods.append(pod)

    def leave(self, pod: int) -> None:
        self.pods.remove(pod)

    def report(self, pod: int, reading: Reading) -> None:
        self.readings.append((pod, reading.at, reading.running))

    def pick(self, request: Request, now: float) -> int:
        self.told.append(("pick", request.number, now))
        return self.pods[request.number % len(self.pods)]

    def first_token(self, request: Request, now: float) -> None:
        self.told.append(("first", request.number, now))

    def end(self, request: Request, end: End, now: float) -> None:
        self.told.append(("end" if end.ok else "failed", request.number, now))


def two(scrape_s: float = 0.05, **changes: Any) -> FleetModel:
    return FleetModel((PodModel(), PodModel()), scrape_s, **changes)


def sent(*times: float, output: int = 100) -> Sequence[Request]:
    return [request(n, 1000, output, at=at) for n, at in enumerate(times)]


def test_the_policy_is_told_of_every_request_in_the_order_of_time() -> None:
    policy = Scripted()
    jobs = Fleet(two(), policy).run(sent(0.0, 0.1, 0.5))
    assert [at for _, _, at in policy.told] == sorted(at for _, _, at in policy.told)
    assert sorted(policy.told) == sorted(
        [
            *(("pick", job.request.number, job.request.at) for job in jobs),
            *(("first", job.request.number, job.first_at) for job in jobs),
            *(("end", job.request.number, job.finished_at) for job in jobs),
        ]
    )


def test_metrics_are_as_old_as_the_last_scrape() -> None:
    policy = Scripted()
    Fleet(two(scrape_s=1.0), policy).run(sent(0.5, 0.9, 1.2, 1.3, 2.5, output=300))
    assert policy.readings == [
        (0, 0.0, 0),
        (1, 0.0, 0),
        (0, 1.0, 1),
        (1, 1.0, 1),
        (0, 2.0, 2),
        (1, 2.0, 2),
    ]


def test_a_pod_that_joins_gets_requests_from_then_on() -> None:
    fleet = Fleet(two(joins_at={1: 1.0}), Scripted())
    fleet.run(sent(0.0, 0.5, 1.5, 2.0))
    assert fleet.placed == {0: 0, 1: 0, 2: 0, 3: 1}


def test_requests_of_a_pod_that_dies_are_sent_again_until_the_pool_has_noticed() -> None:
    policy = Scripted()
    fleet = Fleet(two(dies_at={1: 1.0}), policy)
    jobs = fleet.run(sent(0.0, 0.9))
    failures = [(number, at) for what, number, at in policy.told if what == "failed"]
    assert {number for number, _ in failures} == {1}
    times = [1.0 + n * RETRY_S for n in range(len(failures))]
    assert [at for _, at in failures] == pytest.approx(times)
    assert fleet.retries == len(failures) == math.ceil(NOTICE_S / RETRY_S)
    assert fleet.placed[1] == 0
    assert jobs[1].first_at > 1.0 + NOTICE_S
    assert policy.pods == [0]


def test_of_answers_that_are_not_observed_only_the_end_is_told() -> None:
    policy = Scripted()
    Fleet(two(observed=False), policy).run(sent(0.0, 0.1))
    assert [what for what, _, _ in policy.told] == ["pick", "pick", "end", "end"]
