from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.job import Job
from benchmarks.routing.pod import Pod, PodModel
from benchmarks.routing.step_time import StepTime
from benchmarks.routing.trace import Request
from tests.benchmarks.routing.requests import request

TIME = StepTime()


def drain(pod: Pod) -> None:
    while not math.isinf(pod.until):
        pod.finish()


def served(pod: Pod, *requests: Request) -> list[Job]:
    """Send all at once and wait for the end."""
    jobs = [Job(r) for r in requests]
    for job in jobs:
        pod.submit(job, 0.0)
    drain(pod)
    return jobs


def test_a_prompt_within_the_budget_is_answered_after_one_step() -> None:
    (job,) = served(Pod(PodModel()), request(1, 1000))
    assert job.first_at == pytest.approx(TIME.step(1000, 1000 * 500.0, 0, 1))
    assert job.finished_at == job.first_at


def test_a_longer_prompt_takes_as_many_steps_as_budgets() -> None:
    (job,) = served(Pod(PodModel()), request(1, 10_000))
    whole = TIME.step(8192, 8192 * 4096.0, 0, 1)
    rest = TIME.step(1808, 1808 * (8192 + 904.0), 0, 1)
    assert job.first_at == pytest.approx(whole + rest)


def test_every_further_token_takes_a_step_that_grows_with_the_context() -> None:
    (job,) = served(Pod(PodModel()), request(1, 1000, output=4))
    steps = sum(TIME.step(1, 0.0, 1000 + n, 1) for n in range(3))
    assert job.finished_at - job.first_at == pytest.approx(steps)


def test_a_slow_pod_takes_as_many_times_as_long() -> None:
    (fast,) = served(Pod(PodModel()), request(1, 10_000, output=50))
    (slow,) = served(Pod(PodModel(slowness=3.0)), request(1, 10_000, output=50))
    assert slow.finished_at == pytest.approx(3 * fast.finished_at)


def test_decoding_goes_on_while_prompts_are_computed() -> None:
    pod = Pod(PodModel())
    early, late = Job(request(1, 100, output=3)), Job(request(2, 20_000))
    pod.submit(early, 0.0)
    pod.finish()
    pod.submit(late, early.first_at)
    assert pod.running == 1, "the step under way began without it"
    drain(pod)
    first = TIME.step(1, 0.0, 100, 1)
    second = TIME.step(8192, 8191 * 8191 / 2, 101, 2)
    assert early.finished_at == pytest.approx(early.first_at + first + second)


def test_an_arrival_waits_only_for_the_step_under_way() -> None:
    pod = Pod(PodModel())
    pod.submit(Job(request(1, 100, output=1000)), 0.0)
    pod.finish()
    late = Job(request(2, 100))
    pod.submit(late, 1.0)
    drain(pod)
    assert late.first_at < 1.0 + TIME.step(1, 0.0, 300, 1) + TIME.step(101, 5000.0, 300, 2)


def test_looking_at_the_metrics_changes_nothing() -> None:
    def finished(*looks: float) -> list[float]:
        pod = Pod(PodModel())
        jobs = [Job(request(n, 3000 * n, output=200 * n)) for n in (1, 2, 3)]
        for job in jobs:
            pod.submit(job, 0.0)
        for at in looks:
            while pod.until <= at:
                pod.finish()
            pod.read(at)
        drain(pod)
        return [job.finished_at for job in jobs]

    assert finished(0.7, 0.8, 1.234, 3.3) == pytest.approx(finished())


def test_metrics_tell_who_waits_who_runs_and_how_much_memory_is_held() -> None:
    pod = Pod(PodModel(max_requests=2, kv_tokens=32_000))
    for n in range(3):
        pod.submit(Job(request(n, 1600, output=100)), 0.0)
    assert (pod.read(0.0).waiting, pod.read(0.0).running) == (2, 1)
    pod.finish()
    reading = pod.read(pod.until / 2)
    assert (reading.waiting, reading.running) == (1, 2)
    assert reading.usage == pytest.approx(201 / 2000)


def test_a_prompt_seen_before_is_computed_only_from_its_last_whole_span_on() -> None:
    pod = Pod(PodModel())
    (first,) = served(pod, request(1, 2000, prompt=7))
    (again,) = served(pod, request(2, 2000, prompt=7))
    assert (first.cached, again.cached) == (0, 3 * 512)
    assert pod.computed_tokens == 2000 + 2000 - 3 * 512


def test_the_last_token_is_always_computed() -> None:
    pod = Pod(PodModel())
    served(pod, request(1, 1024, prompt=7))
    (again,) = served(pod, request(2, 1024, prompt=7))
    assert again.cached == 512


def test_spans_can_be_reused_only_after_the_step_that_computes_them() -> None:
    pod = Pod(PodModel())
    jobs = [Job(request(1, 20_000, prompt=7)), Job(request(2, 20_000, prompt=7))]
    for job in jobs:
        pod.submit(job, 0.0)
    drain(pod)
    # The second is admitted in the third step, when two budgets of the first are computed.
    assert jobs[1].cached == 2 * 8192


def test_no_more_requests_run_at_once_than_allowed() -> None:
    pod = Pod(PodModel(max_requests=3))
    for n in range(8):
        pod.submit(Job(request(n, 100, output=50)), 0.0)
    most = 0
    while not math.isinf(pod.until):
        pod.finish()
        most = max(most, pod.running)
    assert most == 3


def test_full_memory_preempts_the_last_and_it_begins_again() -> None:
    pod = Pod(PodModel(kv_tokens=4096))
    first, last = served(pod, request(1, 1900, output=500), request(2, 1900, output=500))
    assert (first.preempted, last.preempted) == (0, 1)
    assert (first.generated, last.generated) == (500, 500)
    assert last.first_at < first.finished_at < last.finished_at


def test_an_impossible_request_is_a_mistake_of_the_simulation() -> None:
    with pytest.raises(ValueError, match="1 needs 5000 tokens of KV memory"):
        Pod(PodModel(kv_tokens=4096)).submit(Job(request(1, 4900, output=100)), 0.0)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3000), st.integers(1, 300), st.integers(0, 3), st.floats(0.0, 0.5)
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(512, 8192),
)
def test_whatever_comes_all_is_answered_and_all_blocks_come_back(
    asked: list[tuple[int, int, int, float]], budget: int
) -> None:
    """Memory is so small that requests are preempted; none may be lost, no block twice."""
    pod = Pod(PodModel(kv_tokens=4096, max_batched_tokens=budget))
    now, jobs = 0.0, []
    for number, (tokens, output, prompt, gap) in enumerate(asked):
        now += gap
        while pod.until <= now:
            pod.finish()
        job = Job(request(number, tokens, output, prompt=prompt))
        jobs.append(job)
        pod.submit(job, now)
        assert 0 <= pod.memory.available <= pod.memory.blocks
    drain(pod)
    assert [job.generated for job in jobs] == [output for _, output, _, _ in asked]
    assert all(0 < job.first_at <= job.finished_at for job in jobs)
    assert pod.memory.available == pod.memory.blocks
    assert not pod.jobs
