"""What following many pods costs, in a process that does nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod

PODS = 1000
CHANGES = 500


def large_pod(number: int, note: str = "") -> dict[str, Any]:
    """Return a pod of about 6 KB, which is what those of model servers have."""
    made = pod(f"vllm-{number:04}", ip=f"10.0.{number // 250}.{number % 250}", app="vllm")
    container = made["spec"]["containers"][0]
    container["env"] = [{"name": f"VARIABLE_{i}", "value": "x" * 60} for i in range(55)]
    made["metadata"]["annotations"] = {"note": note}
    return made


@asynccontextmanager
async def follower(kube: FakeKube) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kube.costing", str(kube.kubeconfig)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def read(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        found: dict[str, Any] = json.loads(await process.stdout.readline())
    return found


async def ask(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    return await read(process)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="memory is measured by /proc, which only Linux has",
)
async def test_a_thousand_pods_are_small_and_soon_known_and_their_changes_cheap(
    kube: FakeKube,
) -> None:
    kube.apply(*(large_pod(i) for i in range(PODS)))
    assert 5000 < len(json.dumps(kube.objects(POD)[0])) < 8000
    async with follower(kube) as process:
        idle, listed = await read(process), await read(process)
        assert listed["pods"] == PODS
        assert listed["cpu_s"] - idle["cpu_s"] < 1.0

        for i in range(CHANGES):
            kube.apply(large_pod(i % PODS, note=f"change {i}"))
            await asyncio.sleep(0.004)  # so that they do not come all at once
        kube.delete(POD, large_pod(0)["metadata"]["name"])
        async with asyncio.timeout(20):
            while (changed := await ask(process))["pods"] == PODS:
                await asyncio.sleep(0.05)
        assert changed["calls"] > CHANGES / 10
        a_minute_s = (changed["cpu_s"] - listed["cpu_s"]) * 1000 / CHANGES
        assert a_minute_s < 0.02 * 60, "1,000 changes in a minute are under 2 % of a core"
        assert changed["peak_kib"] - idle["peak_kib"] < 30 * 1024
