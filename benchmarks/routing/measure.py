"""What clients of one run saw."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from benchmarks.routing.job import Job


class Targets(msgspec.Struct, frozen=True):
    """What a request must meet to count."""

    ttft_s: float = 2.0
    tpot_s: float = 0.05
    ttft_token_s: float = 0.0  # more time to the first token for each token of the prompt

    def met_by(self, job: Job, arrived: float) -> bool:
        """Tell whether a request was answered in time; one that was refused was not."""
        ttft_s = self.ttft_s + self.ttft_token_s * job.request.input_tokens
        return job.first_at - arrived <= ttft_s and _tpot(job) <= self.tpot_s


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
    groups: Mapping[str, float] = {}  # goodput of each flow and of each priority


def measure(
    jobs: Sequence[Job], arrived: Sequence[float], targets: Targets, retries: int
) -> Measured:
    """Sum a run up; times count from the arrival, waiting and other pods included."""
    served = [(job, at) for job, at in zip(jobs, arrived, strict=True) if not job.refused]
    ttft = [job.first_at - at for job, at in served]
    tpot = [_tpot(job) for job, _ in served]
    met = [targets.met_by(job, at) for job, at in zip(jobs, arrived, strict=True)]
    ttft.sort()
    tpot.sort()
    prompt_tokens = sum(job.request.input_tokens for job in jobs)
    return Measured(
        goodput=sum(met) / len(jobs),
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
        groups=_groups(jobs, met),
    )


def _groups(jobs: Sequence[Job], met: Sequence[bool]) -> Mapping[str, float]:
    found: dict[str, list[bool]] = defaultdict(list)
    for job, good in zip(jobs, met, strict=True):
        request = job.request
        if request.flow:
            found[request.flow].append(good)
        if request.priority:
            found[f"priority {request.priority}"].append(good)
    return {name: sum(goods) / len(goods) for name, goods in sorted(found.items())}


def _tpot(job: Job) -> float:
    if job.refused:
        return math.inf
    gaps = job.request.output_tokens - 1
    return (job.finished_at - job.first_at) / gaps if gaps else 0.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
