"""What it costs to follow a large pool, and how soon a pod that is gone is no longer picked.

    python -m benchmarks.micro.cluster [--pods 1000] [--changes 1000] [--seconds 60]

The tests' API server holds the pods (6 KB each) in another process and changes them at an even
pace; the picker's discovery, its store and its scheduler follow in this one. No metrics are read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.conditions import ROOT, conditions, spread
from epp.config.build import build
from epp.config.load import default
from epp.demo.leash import leashed
from epp.discovery.cluster import ApiServer
from epp.discovery.kubernetes import PoolSource
from epp.kube.client import KubeClient
from epp.kube.find_access import find_access
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod, pool


def _pod(number: int, note: str = "") -> dict[str, Any]:
    made = pod(f"vllm-{number:04}", ip=f"10.0.{number // 250}.{number % 250 + 1}", app="vllm")
    container = made["spec"]["containers"][0]
    container["env"] = [{"name": f"VARIABLE_{i}", "value": "x" * 60} for i in range(55)]
    made["metadata"]["annotations"] = {"note": note}
    return made


async def _serve(pods: int) -> None:
    """Hold a pool; a line of standard input is a change: `note N` or `delete N`."""
    async with FakeKube(history=5_000) as kube:
        kube.apply(pool("chat", 8000, app="vllm"))
        kube.apply(*(_pod(number) for number in range(pods)))
        print(kube.kubeconfig, flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            what, number = line.decode().split()
            if what == "delete":
                kube.delete(POD, f"vllm-{int(number):04}")
            else:
                kube.apply(_pod(int(number) % pods, note=number))


class Followed:
    """A pool as the picker keeps it, without its poller."""

    def __init__(self) -> None:
        self.store = Store()
        self.scheduler = build(default(), seed=1).scheduler
        self.full = asyncio.Event()
        self.gone: dict[str, float] = {}

    def publish(self, endpoints: tuple[Endpoint, ...] | list[Endpoint], pods: int) -> None:
        """Take over a set, as the picker does."""
        change = self.store.replace(endpoints)
        self.scheduler.forget(change.left)
        for endpoint in change.left:
            self.gone[endpoint.name] = time.monotonic()
        if len(self.store.snapshot()) >= pods:
            self.full.set()


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures."""
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, "-m", "benchmarks.micro.cluster", "--serve", str(options.pods)]),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    kubeconfig = Path((await process.stdout.readline()).decode().strip())
    client = KubeClient(await find_access(kubeconfig))
    source = PoolSource(ApiServer(client, random.Random(1)), "default", "chat")
    followed = Followed()
    try:
        async with asyncio.TaskGroup() as group:
            rss, began = _rss_mib(), time.monotonic()
            task = group.create_task(
                source.run(lambda endpoints: followed.publish(list(endpoints), options.pods))
            )
            await followed.full.wait()
            snapshot_s, grown = time.monotonic() - began, _rss_mib() - rss
            cores = await _changes(process.stdin, options)
            delays = await _deletions(process.stdin, followed)
            task.cancel()
    finally:
        await client.aclose()
        process.stdin.close()
        await process.wait()
    return {
        "first snapshot, s": round(snapshot_s, 2),
        "memory, MiB": round(grown, 1),
        "core while pods change": round(cores, 4),
        "gone after, ms": spread([delay * 1000 for delay in delays]),
    }


async def _changes(to: asyncio.StreamWriter, options: argparse.Namespace) -> float:
    cpu, began = time.process_time(), time.monotonic()
    for number in range(options.changes):
        to.write(f"note {number}\n".encode())
        await asyncio.sleep(
            max(0.0, began + number * options.seconds / options.changes - time.monotonic())
        )
    return (time.process_time() - cpu) / (time.monotonic() - began)


async def _deletions(to: asyncio.StreamWriter, followed: Followed) -> list[float]:
    delays = []
    for number in range(20):
        name = f"vllm-{number:04}"
        to.write(f"delete {number}\n".encode())
        asked = time.monotonic()
        while name not in followed.gone:
            await asyncio.sleep(0.001)
        delays.append(followed.gone[name] - asked)
        await asyncio.sleep(0.05)
    return delays


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.serve))
        return
    figures = uvloop.run(measure(options))
    where = conditions("benchmarks.micro.cluster", "httpx", "msgspec", "uvloop")
    print(json.dumps({**where, **figures}, indent=1))


if __name__ == "__main__":
    main()
