"""A process that follows a collection and prints what that costs; for test_cost.py.

Prints a line of JSON after the first list, and one after each line that it is given.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from epp.kube.client import KubeClient
from epp.kube.find_access import find_access
from epp.kube.objects import KubeObject
from epp.kube.reflector import Reflector


class Condition(msgspec.Struct, frozen=True):
    type: str = ""
    status: str = ""


class PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    phase: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    conditions: Sequence[Condition] = ()


class Pod(KubeObject, frozen=True):
    status: PodStatus = PodStatus()


def peak_kib() -> int:
    """Return the largest memory so far; getrusage would count that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


class Meter(msgspec.Struct):
    """Where the counters were."""

    calls: int = 0
    pods: int = 0

    def print(self, took_s: float = 0.0) -> None:
        line = {
            "peak_kib": peak_kib(),
            "cpu_s": time.process_time(),
            "took_s": took_s,
            **msgspec.to_builtins(self),
        }
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


async def follow(kubeconfig: Path) -> None:
    meter = Meter()
    client = KubeClient(await find_access(kubeconfig))
    first = asyncio.Event()

    def changed(pods: Mapping[str, Pod]) -> None:
        meter.calls += 1
        meter.pods = len(pods)
        first.set()

    reflector = Reflector(
        client, "/api/v1/namespaces/default/pods", Pod, changed, rng=random.Random(1)
    )
    async with asyncio.TaskGroup() as group:
        meter.print()
        began = time.perf_counter()
        task = group.create_task(reflector.run())
        await first.wait()
        meter.print(time.perf_counter() - began)
        while await asyncio.to_thread(sys.stdin.readline):
            meter.print()
        task.cancel()
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(follow(Path(sys.argv[1])))
