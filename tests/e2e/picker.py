"""The picker as its users run it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from epp.demo.leash import leashed
from epp.demo.ports import free_port

READY_TIMEOUT_S = 20.0
END_TIMEOUT_S = 20.0


@dataclass
class Picker:
    process: Process
    port: int
    health_port: int
    metrics_port: int
    log_path: Path

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()

    async def ended(self) -> int:
        """Its exit status, once it has one."""
        async with asyncio.timeout(END_TIMEOUT_S):
            return await self.process.wait()

    def until_ready(self) -> None:
        """Watch the health service until it serves."""
        with grpc.insecure_channel(f"127.0.0.1:{self.health_port}") as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            states = watch(
                HealthCheckRequest(service="readiness"),
                timeout=READY_TIMEOUT_S,
                wait_for_ready=True,
            )
            for state in states:
                if state.status == HealthCheckResponse.SERVING:
                    states.cancel()
                    return


@asynccontextmanager
async def serving(flags: Sequence[str], directory: Path) -> AsyncIterator[Picker]:
    """`epp serve` with the given flags on free ports, ready."""
    picker = await _start(flags, directory)
    try:
        try:
            await asyncio.to_thread(picker.until_ready)
        except grpc.RpcError as error:
            log = await asyncio.to_thread(picker.log_path.read_text)
            raise AssertionError(f"the picker did not get ready:\n{log}") from error
        yield picker
    finally:
        if picker.process.returncode is None:
            picker.kill()
            await picker.process.wait()


async def _start(flags: Sequence[str], directory: Path) -> Picker:
    port, health_port, metrics_port = free_port(), free_port(), free_port()
    log_path = directory / "picker.log"
    command = [
        *(sys.executable, "-m", "epp", "serve", "--host=127.0.0.1", f"--grpc-port={port}"),
        *(f"--grpc-health-port={health_port}", f"--metrics-port={metrics_port}"),
        *flags,
    ]
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *leashed(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if not name.startswith("EPP_")},
        )
    return Picker(process, port, health_port, metrics_port, log_path)
