"""Simulated model servers, a picker and an Envoy, each a process of its own, and the clients."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

import httpx
import msgspec

from benchmarks.conditions import ROOT
from benchmarks.load import child
from benchmarks.load.offer import Offer
from benchmarks.load.outcome import Outcome, Played
from benchmarks.load.performance import Performance
from benchmarks.load.usage import Usage, usage
from epp.demo import bootstrap, envoy
from epp.demo.bootstrap import Mode
from epp.demo.leash import leashed
from epp.demo.ports import free_port
from epp.demo.sim.driver import Lateness
from epp.demo.sim.options import SimOptions

Transport = Literal["native", "grpcio"]


class Stage(msgspec.Struct, frozen=True):
    """Where everything is."""

    port: int  # of Envoy
    metrics_port: int  # of the picker
    urls: Sequence[str]  # of the servers
    pids: Mapping[str, int]

    def usage(self) -> dict[str, Usage]:
        """Return what each process has used so far."""
        return {name: usage(pid) for name, pid in self.pids.items()}

    async def lateness(self) -> Lateness:
        """Return how far all servers together kept up with what they simulate."""
        async with httpx.AsyncClient() as client:
            answers = [await client.get(f"{url}/sim/lateness") for url in self.urls]
        told = [msgspec.json.decode(answer.content, type=Lateness) for answer in answers]
        fields = zip(*map(msgspec.structs.astuple, told), strict=True)
        return Lateness(*map(sum, fields))

    async def perform(self, offer: Offer) -> Performance:
        """Have clients send what is offered; returns when they have their answers."""
        before = self.usage()
        played = await self._play(offer)
        cpu_s = {name: now.cpu_s - before[name].cpu_s for name, now in self.usage().items()}
        cpu_s["clients"] = played.cpu_s
        outcome, lateness = Outcome.of(played.answers), await self.lateness()
        return Performance(outcome, cpu_s, offer.seconds, lateness)

    async def _play(self, offer: Offer) -> Played:
        process = await asyncio.create_subprocess_exec(
            *leashed([sys.executable, "-m", "benchmarks.load.player"]),
            f"--port={self.port}",
            *offer.flags(),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
        return msgspec.json.decode(told, type=Played)


@asynccontextmanager
async def stage(
    picker_flags: Sequence[str],
    replicas: int,
    *,
    speed: float = 1.0,
    mode: Mode = "buffered",
    transport: Transport = "native",
) -> AsyncIterator[Stage]:
    """Everything afresh for as long as the block runs: no cache, no books."""
    ports = [free_port() for _ in range(replicas)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    grpc, metrics, listen = free_port(), free_port(), free_port()
    picker = _picker([*picker_flags, f"--transport={transport}"], urls, grpc, metrics)
    proxy = bootstrap.laptop(
        listen_host="127.0.0.1",
        listen_port=listen,
        admin_port=free_port(),
        picker_port=grpc,
        mode=mode,
    )
    with tempfile.TemporaryDirectory() as folder:
        async with (
            _servers(ports, speed) as served,
            picker as picking,
            envoy.running(proxy, Path(folder)) as passing,
        ):
            pids = {"servers": served.pid, "picker": picking.pid, "Envoy": passing.pid}
            yield Stage(listen, metrics, urls, pids)


def _servers(ports: Sequence[int], speed: float) -> AbstractAsyncContextManager[Process]:
    options = [SimOptions(port=port, name=f"replica-{port}", speed=speed) for port in ports]
    described = msgspec.json.encode(options).decode()
    return child.running("epp.demo.fleet", described, ready=b"http://")


def _picker(
    flags: Sequence[str], urls: Sequence[str], grpc_port: int, metrics_port: int
) -> AbstractAsyncContextManager[Process]:
    ports = [f"--grpc-port={grpc_port}", f"--metrics-port={metrics_port}"]
    ports.append(f"--grpc-health-port={free_port()}")
    where = ["--host=127.0.0.1", "--insecure", "--log-format=json", "--engine=vllm"]
    where += [f"--endpoint={url}" for url in urls]
    return child.running("epp", "serve", *ports, *where, *flags, ready=b'"message":"ready"')
