from __future__ import annotations

import asyncio
import random

import httpx
import pytest
from msgspec import structs

from epp.demo.sim.dialect import TITLES, Dialect, dialect
from epp.demo.sim.server import SimServer
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Store
from epp.scrape.poller import Poller
from tests.demo.sim.conftest import OPTIONS
from tests.scrape.pages import llama_cpp


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vllm", (0, 0, False, frozenset({"base", "poet"}), None)),
        ("ollama", (0, None, True, frozenset({"base"}), frozenset({"base"}))),
        ("llama.cpp", (0, 0, False, frozenset({"base", "poet"}), None)),
    ],
)
async def test_the_picker_finds_out_what_it_is(
    name: Dialect, told: tuple[int, int | None, bool, frozenset[str], frozenset[str] | None]
) -> None:
    async with SimServer(structs.replace(OPTIONS, engine=name)) as server:
        load = await read(server.url)
    assert load.engine == name
    seen = (load.waiting, load.running, load.waiting_is_ours, load.models, load.loaded)
    assert seen == told


async def test_the_slots_are_llama_cpps() -> None:
    options = structs.replace(OPTIONS, engine="llama.cpp", max_num_seqs=2)
    async with SimServer(options) as server, httpx.AsyncClient(base_url=server.url) as http:
        slots = (await http.get("/slots")).json()
        metrics = (await http.get("/metrics")).text
    assert slots == [{"id": 0, "is_processing": False}, {"id": 1, "is_processing": False}]
    assert set(metrics.splitlines()) <= set(llama_cpp("metrics-idle.txt").decode().splitlines())


async def test_ollama_has_no_metrics() -> None:
    options = structs.replace(OPTIONS, engine="ollama")
    async with SimServer(options) as server, httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/metrics")).status_code == 404
        assert (await http.get("/api/version")).json()["version"]


def test_a_name_is_one_of_a_few() -> None:
    assert [dialect(name) for name in TITLES] == list(TITLES)
    with pytest.raises(ValueError, match="none of vllm, ollama"):
        dialect("olama")


async def read(url: str) -> Load:
    """Return what the picker reads of the server at `url`."""
    store = Store()
    poller = Poller(store, rng=random.Random(1))
    address = url.removeprefix("http://")
    poller.follow(store.replace([Endpoint(address, metrics_url=f"{url}/metrics", engine="auto")]))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        polling = group.create_task(poller.run())
        while (load := store.snapshot().endpoints[0].load) is None or load.models is None:
            await asyncio.sleep(0.01)
        polling.cancel()
    return load
