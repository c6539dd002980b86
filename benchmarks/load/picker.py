"""This project's own picker as a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from benchmarks.load import child
from epp.demo.ports import free_port


class Picker(msgspec.Struct, frozen=True):
    """Where it is."""

    pid: int
    metrics_port: int
    grpc_port: int

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
