"""A module of this repository as a process of its own, which says when it is ready."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.conditions import ROOT
from epp.demo.leash import leashed

READY_TIMEOUT_S = 20.0


@asynccontextmanager
async def running(*arguments: str, ready: bytes) -> AsyncIterator[Process]:
    """`python -m` with these arguments, from the line that has `ready` in it to the block's end."""
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, "-m", *arguments]),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while ready not in (line := await process.stdout.readline()):
                assert line, f"{arguments[0]} ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
