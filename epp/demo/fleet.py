"""Simulated replicas in a process of their own, so that they do not slow the picker down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from epp.demo.error import DemoError
from epp.demo.leash import leashed
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer

START_TIMEOUT_S = 20.0


@asynccontextmanager
async def fleet(replicas: Sequence[SimOptions]) -> AsyncIterator[list[str]]:
    """Run `replicas` for as long as the block runs; yields their URLs, in order."""
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, "-m", __name__, msgspec.json.encode(replicas).decode()]),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await asyncio.wait_for(_urls(process), START_TIMEOUT_S)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _urls(process: asyncio.subprocess.Process) -> list[str]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise DemoError("the simulated replicas did not start; their error stands above")
    return msgspec.json.decode(line, type=list[str])


async def _serve(replicas: Sequence[SimOptions]) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(SimServer(options)) for options in replicas]
        sys.stdout.buffer.write(msgspec.json.encode([server.url for server in servers]) + b"\n")
        sys.stdout.buffer.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Serve the replicas that the argument describes, until terminated."""
    import uvloop  # noqa: PLC0415  only this process runs them

    uvloop.run(_serve(msgspec.json.decode(sys.argv[1], type=list[SimOptions])))


if __name__ == "__main__":
    main()
