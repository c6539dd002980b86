"""The poller before a real llama.cpp server; the pages in tests/data are of such a one."""

from __future__ import annotations

import asyncio
import random
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from epp.demo.ports import free_port
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Store
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller
from tests.llama.build import find

pytest.importorskip("gguf", reason="an extra test: make test-llama")
if find() is None:
    pytest.skip("an extra test that builds llama.cpp: make test-llama", allow_module_level=True)

SLOTS = 2
LONG = {"model": "tiny", "prompt": "w1 w2", "max_tokens": 480, "ignore_eos": True}


class Served:
    """A llama.cpp server, polled."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = Store()
        self.in_flight = 0
        self.poller = Poller(
            self.store,
            rng=random.Random(3),
            pace=Pace(interval_s=0.01, idle_interval_s=0.02),
            in_flight=lambda _: self.in_flight,
        )

    @property
    def load(self) -> Load | None:
        return self.store.snapshot().endpoints[0].load

    async def until(self, true: Callable[[Load], bool]) -> Load:
        async with asyncio.timeout(30):
            while (load := self.load) is None or not true(load):
                await asyncio.sleep(0.005)
        return load


@asynccontextmanager
async def serving(directory: Path, *flags: str, engine: str = "auto") -> AsyncIterator[Served]:
    from tests.llama import tiny

    tiny.write(directory / "tiny.gguf")
    port = free_port()
    command = [str(find()), "-m", "tiny.gguf", "--alias", "tiny", "--parallel", str(SLOTS)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--threads", "1", *flags]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, stdout=DEVNULL, stderr=DEVNULL
    )
    served = Served(f"http://127.0.0.1:{port}")
    try:
        async with asyncio.TaskGroup() as group:
            polling = group.create_task(served.poller.run())
            metrics = f"{served.url}/metrics"
            endpoint = Endpoint(f"127.0.0.1:{port}", metrics_url=metrics, engine=engine)
            served.poller.follow(served.store.replace([endpoint]))
            yield served
            polling.cancel()
    finally:
        process.terminate()
        await process.wait()


async def completions(served: Served, count: int) -> None:
    async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(client.post(f"{served.url}/v1/completions", json=LONG))


async def test_its_metrics_tell_what_runs_and_what_waits(tmp_path: Path) -> None:
    async with serving(tmp_path, "--metrics") as served, asyncio.TaskGroup() as group:
        idle = await served.until(lambda load: load.models is not None)
        assert (idle.engine, idle.waiting, idle.running) == ("llama.cpp", 0, 0)
        assert idle.models == frozenset({"tiny"})
        asking = group.create_task(completions(served, 12))
        await served.until(lambda load: (load.waiting or 0) >= 4 and (load.running or 0) > 0)
        await asking
        await served.until(lambda load: (load.waiting, load.running) == (0, 0))


@pytest.mark.parametrize("engine", ["auto", "llama.cpp"])
async def test_without_metrics_its_slots_tell_what_runs(tmp_path: Path, engine: str) -> None:
    async with serving(tmp_path, engine=engine) as served, asyncio.TaskGroup() as group:
        idle = await served.until(lambda load: load.models is not None)
        assert (idle.engine, idle.running, idle.waiting_is_ours) == ("llama.cpp", 0, True)
        served.in_flight = 30
        asking = group.create_task(completions(served, 30))
        busy = await served.until(lambda load: (load.running or 0) > 0)
        assert busy.waiting == 30 - (busy.running or 0)
        await asking


async def test_without_metrics_and_slots_it_is_known_all_the_same(tmp_path: Path) -> None:
    async with serving(tmp_path, "--no-slots") as served:
        load = await served.until(lambda load: load.models is not None)
        assert (load.engine, load.running, load.waiting) == ("llama.cpp", None, 0)
