"""What clients of one run saw."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.routing.job import Job


class Targets(msgspec.Struct, frozen=True):
    """What a request must meet to count."""

    ttft_s: float = 2.0
    tpot_s: float = 0.05


class Measured(msgspec.Struct, frozen=True):
    """One run. Times in seconds."""

    goodput: float  # share of requests that meet the targets
    ttft_p50: float
    ttft_p90: float
    ttft_p99: float
    tpot_p50: float
    tpot_p90: float
    tpot_p99: float
    hit_rate: float  # share of the prompt tokens that were found in a cache
    preempted: int
    retried: int = 0
    refused: float = 0.0  # share of the requests; the times above are those of the others


def measure(
    jobs: Sequence[Job], arrived: Sequence[float], targets: Targets, retries: int
) -> Measured:
    """Sum a run up; times count from the arrival, waiting and other pods included."""
    served = [(job, at) for job, at in zip(jobs, arrived, strict=True) if not job.refused]
    ttft = [job.first_at - at for job, at in served]
    tpot = [_tpot(job) for job, _ in served]
    met = sum(t <= targets.ttft_s and p <= targets.tpot_s for t, p in zip(ttft, tpot, strict=True))
    ttft.sort()
    tpot.sort()
    prompt_tokens = sum(job.request.input_tokens for job in jobs)
    return Measured(
        goodput=met / len(jobs),
        ttft_p50=_quantile(ttft, 0.5),
        ttft_p90=_quantile(ttft, 0.9),
        ttft_p99=_quantile(ttft, 0.99),
        tpot_p50=_quantile(tpot, 0.5),
        tpot_p90=_quantile(tpot, 0.9),
        tpot_p99=_quantile(tpot, 0.99),
        hit_rate=sum(job.cached for job in jobs) / prompt_tokens,
        preempted=sum(job.preempted for job in jobs),
        retried=retries,
        refused=1.0 - len(served) / len(jobs),
    )


def _tpot(job: Job) -> float:
    gaps = job.request.output_tokens - 1
    return (job.finished_at - job.first_at) / gaps if gaps else 0.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
