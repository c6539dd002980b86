"""One measurement: one picker at one row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from benchmarks.load.contender import Contender, Spec
from benchmarks.load.generator import Job
from benchmarks.load.rig import Front, Rig
from benchmarks.load.rows import REPLICAS, Idle, Load, Row
from benchmarks.load.usage import usage

PROBE_TIMEOUT_S = 10.0


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything."""

    seconds: float
    requests: int | None = None  # at most, of each measurement with load
    settle_s: float = 1.0  # between a picker's waking and its measurement

    @property
    def most(self) -> dict[str, int]:
        """The bound on requests as a job has it."""
        return {} if self.requests is None else {"requests": self.requests}


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came out. CPU for each request that was answered; idle rows have cores instead."""

    requests: int = 0
    failed: int = 0
    problem: str = ""
    picker_us: float = 0.0
    envoy_us: float = 0.0
    around_us: float = 0.0  # of the clients and the model servers
    rate: float = 0.0
    mean_ms: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    messages: float = 0.0  # of ext_proc, both directions, for each request
    picker_cores: float = 0.0
    scrapes: float = 0.0  # a second, of one replica
    slowest: float = 0.0  # the same of the replica that was asked least
    rss_mib: float = 0.0


class NotServed(msgspec.Struct, frozen=True):
    """The picker does not do this work at all."""

    problem: str


async def measure(rig: Rig, spec: Spec, row: Row, amount: Amount) -> Figures | NotServed:
    """Measure one picker at one row, while all others are parked."""
    if isinstance(row.work, Idle):
        return await _idle(rig, spec, row.work, amount)
    return await _loaded(rig, spec, row.work, amount)


async def _loaded(rig: Rig, spec: Spec, load: Load, amount: Amount) -> Figures | NotServed:
    picker = await rig.contender(spec, REPLICAS)
    front = await rig.front(picker, load.mode)
    async with _awake(picker, amount.settle_s):
        if problem := await _probe(rig, front, load):
            return NotServed(problem)
        warm_up = _job(front, load, min(1.0, amount.seconds))
        await rig.perform(msgspec.structs.replace(warm_up, requests=2 * load.concurrency))
        job = msgspec.structs.replace(_job(front, load, amount.seconds), **amount.most)
        return await _under_load(rig, picker, front, job)


async def _under_load(rig: Rig, picker: Contender, front: Front, job: Job) -> Figures:
    envoy_pid, messages = front.envoy.pid, await rig.messages(front)
    around = rig.surroundings_cpu_s(REPLICAS)
    before, envoy_before = usage(picker.pid), usage(envoy_pid)
    result = await rig.perform(job)
    after, envoy_after = usage(picker.pid), usage(envoy_pid)
    around = rig.surroundings_cpu_s(REPLICAS) - around
    count = max(1, result.answered)
    return Figures(
        requests=result.answered,
        failed=result.failed,
        problem=result.problem,
        picker_us=(after.cpu_s - before.cpu_s) / count * 1e6,
        envoy_us=(envoy_after.cpu_s - envoy_before.cpu_s) / count * 1e6,
        around_us=around / count * 1e6,
        rate=result.answered / result.seconds,
        mean_ms=result.mean_ms,
        p50_ms=result.p50_ms,
        p90_ms=result.p90_ms,
        p99_ms=result.p99_ms,
        messages=(await rig.messages(front) - messages) / count,
        picker_cores=(after.cpu_s - before.cpu_s) / result.seconds,
        rss_mib=after.rss_mib,
    )


async def _idle(rig: Rig, spec: Spec, idle: Idle, amount: Amount) -> Figures:
    picker = await rig.contender(spec, idle.replicas)
    async with _awake(picker, amount.settle_s):
        now = asyncio.get_running_loop().time
        asked, before, began = await rig.asked(idle.replicas), usage(picker.pid), now()
        await asyncio.sleep(amount.seconds)
        after, seconds = usage(picker.pid), now() - began
        pairs = zip(await rig.asked(idle.replicas), asked, strict=True)
        counts = [late - early for late, early in pairs]
    return Figures(
        picker_cores=(after.cpu_s - before.cpu_s) / seconds,
        scrapes=sum(counts) / len(counts) / seconds,
        slowest=min(counts) / seconds,
        rss_mib=after.rss_mib,
    )


async def _probe(rig: Rig, front: Front, load: Load) -> str:
    """Return what is wrong with an answer to one request; it may take a few tries after a start."""
    once = msgspec.structs.replace(
        _job(front, load, 1.0), requests=1, concurrency=1, timeout_s=PROBE_TIMEOUT_S
    )
    problem = ""
    for _ in range(5):
        result = await rig.perform(once)
        problem = result.problem
        if not result.failed or problem == "no answer":
            break
        await asyncio.sleep(0.5)
    return problem


def _job(front: Front, load: Load, seconds: float) -> Job:
    return Job(
        port=front.port,
        body_bytes=load.body_bytes,
        chunks=load.chunks,
        gap_ms=load.gap_ms,
        concurrency=load.concurrency,
        seconds=seconds,
    )


@asynccontextmanager
async def _awake(picker: Contender, settle_s: float) -> AsyncIterator[None]:
    picker.resume()
    try:
        await asyncio.sleep(settle_s)
        yield
    finally:
        picker.park()
