"""The stage for a comparison: replicas, clients, one Envoy for each picker and body mode."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.load import child, contender
from benchmarks.load.contender import Contender, Spec
from benchmarks.load.generator import Job, Result
from benchmarks.load.usage import usage
from epp.demo import bootstrap, envoy
from epp.demo.bootstrap import Mode
from epp.demo.envoy import Envoy
from epp.demo.ports import free_port

ANSWER_TIMEOUT_S = 120.0


class Front(msgspec.Struct, frozen=True):
    """An Envoy in front of one picker."""

    envoy: Envoy
    port: int
    admin_port: int


class Rig:
    """Starts what is asked for once, and keeps it until the end."""

    def __init__(
        self, stack: AsyncExitStack, folder: Path, generator: Process, web: httpx.AsyncClient
    ) -> None:
        self._stack = stack
        self._folder = folder
        self._generator = generator
        self._web = web
        self._replicas: dict[int, list[int]] = {}  # their ports, by their number
        self._servers: dict[int, Process] = {}  # which they all are in
        self._contenders: dict[tuple[str, int], Contender] = {}
        self._fronts: dict[tuple[str, Mode], Front] = {}
        self._sent = 0

    async def contender(self, spec: Spec, replicas: int) -> Contender:
        """Return the picker with so many replicas, parked if it has not run before."""
        key = (spec.name, replicas)
        if key not in self._contenders:
            ports = await self.replicas(replicas)
            folder = self._folder / f"{spec.name}-{replicas}"
            running = contender.running(spec, ports, folder)
            self._contenders[key] = await self._stack.enter_async_context(running)
            self._contenders[key].park()
        return self._contenders[key]

    async def replicas(self, count: int) -> list[int]:
        """Return the ports of so many model servers."""
        if count not in self._replicas:
            ports: set[int] = set()
            while len(ports) < count:
                ports.add(free_port())
            serving = child.running("benchmarks.load.upstream", *map(str, ports), ready=b"ready")
            self._servers[count] = await self._stack.enter_async_context(serving)
            self._replicas[count] = sorted(ports)
        return self._replicas[count]

    async def front(self, picker: Contender, mode: Mode) -> Front:
        """Return the Envoy that asks this picker in this mode."""
        key = (picker.spec.name, mode)
        if key not in self._fronts:
            folder = self._folder / f"envoy-{picker.spec.name}-{mode}"
            folder.mkdir()
            options = bootstrap.laptop(
                listen_host="127.0.0.1",
                listen_port=free_port(),
                admin_port=free_port(),
                picker_port=picker.grpc_port,
                mode=mode,
            )
            started = await self._stack.enter_async_context(envoy.running(options, folder))
            self._fronts[key] = Front(started, options.listen_port, options.admin_port)
        return self._fronts[key]

    async def perform(self, job: Job) -> Result:
        """Have the clients do a job, with prompts that no job before had."""
        job = msgspec.structs.replace(job, first=self._sent)
        stdin, stdout = self._generator.stdin, self._generator.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(job) + b"\n")
        async with asyncio.timeout(job.seconds + job.timeout_s + ANSWER_TIMEOUT_S):
            line = await stdout.readline()
        try:
            result = msgspec.json.decode(line, type=Result)
        except msgspec.DecodeError as error:
            rest = await stdout.read()
            raise RuntimeError(f"the clients failed: {(line + rest).decode()}") from error
        self._sent += result.answered + result.failed + job.concurrency
        return result

    def surroundings_cpu_s(self, replicas: int) -> float:
        """Return what the clients and so many replicas have taken of the cores so far."""
        processes = (self._generator, self._servers[replicas])
        return sum(usage(process.pid).cpu_s for process in processes)

    async def messages(self, front: Front) -> int:
        """Return how many ext_proc messages Envoy has sent and received."""
        text = await self._get(front.admin_port, "/stats?filter=ext_proc.*stream_msgs_")
        return sum(int(line.rpartition(":")[2]) for line in text.splitlines())

    async def asked(self, replicas: int) -> list[int]:
        """Return how often each replica was asked for its metrics."""
        ports = await self.replicas(replicas)
        counts: dict[str, Any] = msgspec.json.decode(await self._get(ports[0], "/asked"))
        return [counts[str(port)] for port in ports]

    async def _get(self, port: int, path: str) -> str:
        return (await self._web.get(f"http://127.0.0.1:{port}{path}")).text


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Rig]:
    """An empty rig; what is started on it ends with the block."""
    async with AsyncExitStack() as stack:
        generator = await stack.enter_async_context(
            child.running("benchmarks.load.generator", ready=b"ready")
        )
        web = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        yield Rig(stack, folder, generator, web)
