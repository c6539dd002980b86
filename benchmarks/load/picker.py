"""This project's own picker as a process, and what it says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import child
from epp.demo.ports import free_port

# What must be 0 once every request has ended.
HELD = (
    "llm_d_epp_flow_control_queue_size",
    "llm_d_epp_flow_control_queue_bytes",
    "llm_d_epp_extproc_streams_inflight",
    "llm_d_epp_request_running",
    "llm_d_epp_inflight_requests",
)
PATIENCE_S = 10.0  # for the ends of streams to be seen

Page = dict[str, list[tuple[dict[str, str], float]]]


class Picker(msgspec.Struct, frozen=True):
    """Where it is."""

    pid: int
    metrics_port: int
    grpc_port: int

    async def page(self) -> Page:
        """Read its metrics."""
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://127.0.0.1:{self.metrics_port}/metrics")).text
        found: Page = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    async def held(self) -> dict[str, float]:
        """Return what is held though nothing is under way; empty: nothing."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + PATIENCE_S
        while True:
            page = await self.page()
            sums = {name: sum(value for _, value in page.get(name, [])) for name in HELD}
            held = {name: value for name, value in sums.items() if value}
            if not held or loop.time() > ends_at:
                return held
            await asyncio.sleep(0.1)

    def open_files(self) -> int:
        """Count its file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Picker]:
    """`epp serve` with these arguments, from its being ready to the block's end."""
    port, health_port, metrics_port = free_port(), free_port(), free_port()
    ports = (f"--grpc-port={port}", f"--grpc-health-port={health_port}")
    command = ("epp", "serve", "--host=127.0.0.1", *ports, f"--metrics-port={metrics_port}")
    async with child.running(*command, *arguments, ready=b'"message":"ready"') as process:
        yield Picker(process.pid, metrics_port, port)
