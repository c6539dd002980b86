"""What is foreseen can be compared with what is measured: both kinds of servers are the same."""

from __future__ import annotations

import pytest

from benchmarks.load.foreseen import foreseen
from benchmarks.load.offer import Offer
from benchmarks.routing.job import Job
from benchmarks.routing.pod import Pod, PodModel
from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import EXCERPT, Request
from epp.demo.sim.engine import Engine
from epp.demo.sim.job import Job as ServedJob
from epp.demo.sim.options import SimOptions
from epp.demo.sim.tokens import encode

OFFER = Offer(EXCERPT, qps=1.0, seconds=60.0)


def on_a_pod(requests: list[Request]) -> list[tuple[float, float]]:
    """When each has its first and its last token."""
    pod, jobs = Pod(PodModel()), [Job(request) for request in requests]
    for job in jobs:
        while pod.until < job.request.at:
            pod.finish()
        pod.submit(job, job.request.at)
    while pod.jobs:
        pod.finish()
    return [(job.first_at, job.finished_at) for job in jobs]


def on_an_engine(requests: list[Request]) -> list[tuple[float, float]]:
    engine, prompts, ends_at = Engine(SimOptions().limits), Prompts(), 0.0
    jobs = [
        ServedJob(bytearray(encode(prompts.text(r))), r.number, r.output_tokens, r.at)
        for r in requests
    ]
    for job in jobs:
        engine.submit(job)  # it is admitted when it has come
    while engine.waiting or engine.running:
        step = engine.start(ends_at)
        if step is None:
            ends_at = engine.waiting[0].arrived_at
            continue
        ends_at = step.ends_at
        engine.finish()
    return [(job.first_token_at or 0.0, job.last_token_at or 0.0) for job in jobs]


def test_the_servers_of_both_take_the_same_time() -> None:
    requests = list(OFFER.requests())
    pairs = list(zip(requests, on_a_pod(requests), on_an_engine(requests), strict=True))
    first = [abs(pod[0] - engine[0]) / (pod[0] - r.at) for r, pod, engine in pairs]
    last = [abs(pod[1] - engine[1]) / (pod[1] - r.at) for r, pod, engine in pairs]
    assert sum(first) / len(first) < 0.03
    assert sum(last) / len(last) < 0.03


def test_equal_offers_are_foreseen_alike() -> None:
    found = foreseen("marginal-cost", OFFER, 2)
    assert found == foreseen("marginal-cost", OFFER, 2)
    assert (found.requests, found.refused) == (len(OFFER.requests()), 0)
    assert found.goodput > 0.8


def test_a_gate_refuses_what_cannot_be_in_time() -> None:
    too_much = Offer(EXCERPT, qps=6.0, seconds=60.0)
    found = foreseen("gated-shed", too_much, 2)
    assert found.refused > 0
    assert found.goodput > foreseen("marginal-cost", too_much, 2).goodput


def test_a_policy_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        foreseen("none", OFFER, 2)
