"""What the scheduler makes of what the poller reads, of every kind of server."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import pytest

from epp.config.build import build
from epp.config.load import load
from epp.config.presets import DEFAULT_PRESET, PRESETS, preset_text
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.scheduling.decision import Outcome
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller
from epp.telemetry.in_flight import InFlight
from tests.scrape.ollama import Ollama
from tests.scrape.pages import small
from tests.scrape.server import Behaviour, Visit, answer, by_path, drip, flood, hang, say, serving

OLLAMA = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: loaded-model-scorer}, {type: active-request-scorer}]
schedulingProfiles:
  - name: default
    plugins:
      - {pluginRef: loaded-model-scorer, weight: 2}
      - {pluginRef: active-request-scorer, weight: 1}
"""

NOWHERE = by_path({})
WRONG: dict[str, Behaviour] = {
    "404": NOWHERE,
    "500": say(answer(b"", status="500 Internal Server Error")),
    "garbage": say(b"garbage garbage\r\n\r\n"),
    "html": say(answer(b"<!DOCTYPE html><html></html>", "content-type: text/html")),
    "huge": say(answer(bytes(3 << 20))),
    "endless": flood,
    "slow": drip,
    "silent": hang,
    "wrong names": say(answer(b"# TYPE requests gauge\nrequests 3\n")),
    "wrong numbers": say(answer(small(waiting="NaN", running="-3", usage="Inf"))),
    "empty": say(answer(b"")),
}


class Picker:
    """The poller, the store and the scheduler, joined as in the process."""

    def __init__(self, config: str) -> None:
        self.store = Store()
        self.in_flight = InFlight()
        self.poller = Poller(
            self.store,
            rng=random.Random(3),
            pace=Pace(interval_s=0.01, idle_interval_s=0.02, max_backoff_s=0.05),
            in_flight=self.in_flight.of,
            timeout_s=0.2,
        )
        self.scheduler = build(load(config, "c.yaml"), seed=1).scheduler
        self._rng = random.Random(5)
        self._numbers = count()

    def join(self, *endpoints: Endpoint) -> None:
        self.poller.follow(self.store.replace(endpoints))

    def pick(self, model: str = "m") -> Reservation:
        now = asyncio.get_running_loop().time()
        query = Query(model, f"{next(self._numbers)} a prompt of its own", now=now)
        made = self.scheduler.schedule(query, self.store.snapshot().endpoints, self._rng)
        assert isinstance(made, Reservation)
        self.in_flight.begin(made.decision)
        self.poller.used(made.decision.winner)
        return made

    def end(self, made: Reservation) -> None:
        self.in_flight.end(made.decision)
        made.release(Outcome(), asyncio.get_running_loop().time())


@asynccontextmanager
async def picking(
    *servers: Behaviour, engine: str = "auto", config: str = ""
) -> AsyncIterator[tuple[Picker, list[str]]]:
    picker = Picker(config or preset_text(DEFAULT_PRESET))
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        pool = [await stack.enter_async_context(serving(server)) for server in servers]
        polling = group.create_task(picker.poller.run())
        picker.join(*(Endpoint(s.address, metrics_url=s.url, engine=engine) for s in pool))
        yield picker, [server.address for server in pool]
        polling.cancel()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


def engines(picker: Picker) -> list[str]:
    loads = [endpoint.load for endpoint in picker.store.snapshot().endpoints]
    return [load.engine if load else "" for load in loads]


def winners(made: list[Reservation]) -> Counter[str]:
    return Counter(one.decision.winner.address for one in made)


@pytest.mark.parametrize("engine", ["auto", "vllm"])
@pytest.mark.parametrize("name", WRONG)
async def test_servers_whose_metrics_are_wrong_share_the_requests(name: str, engine: str) -> None:
    async with picking(WRONG[name], WRONG[name], engine=engine) as (picker, addresses):
        await until(lambda: picker.poller.errors or picker.poller.scrapes > 5)
        picked = winners([picker.pick() for _ in range(40)])
    assert set(picked) == set(addresses)


@pytest.mark.parametrize("name", ["404", "html", "huge", "endless", "wrong names", "empty"])
async def test_a_server_with_no_page_that_is_known_gets_what_the_full_ones_cannot_take(
    name: str,
) -> None:
    full = by_path({"/metrics": small(waiting=9, usage=1.0)})
    async with picking(WRONG[name], full, full) as (picker, (wrong, *_)):
        await until(lambda: engines(picker) == ["unknown", "vllm", "vllm"])
        assert winners([picker.pick() for _ in range(8)]) == {wrong: 8}


async def test_a_server_that_tells_no_cache_gets_requests_beside_idle_ones_that_do() -> None:
    idle = by_path({"/metrics": small(waiting=0, usage=0.3)})
    async with picking(NOWHERE, idle) as (picker, addresses):
        await until(lambda: engines(picker) == ["unknown", "vllm"])
        seen: set[str] = set()

        def both() -> bool:
            made = picker.pick()
            picker.end(made)
            seen.add(made.decision.winner.address)
            return seen == set(addresses)

        await until(both)


@pytest.mark.parametrize("preset", PRESETS)
async def test_servers_without_known_metrics_share_the_requests_evenly(preset: str) -> None:
    config = preset_text(preset)
    async with picking(NOWHERE, NOWHERE, NOWHERE, config=config) as (picker, addresses):
        await until(lambda: engines(picker) == ["unknown"] * 3)
        made = [picker.pick() for _ in range(30)]
    assert winners(made) == dict.fromkeys(addresses, 10)


@pytest.mark.parametrize("engine", ["none", "auto", "ollama"])
async def test_the_servers_with_the_fewest_requests_of_ours_get_the_next(engine: str) -> None:
    servers = [Ollama("m"), Ollama("m"), Ollama("m")]
    async with picking(*servers, engine=engine) as (picker, addresses):
        known = "none" if engine == "none" else "ollama"
        await until(lambda: engines(picker) == [known] * 3)
        made = [picker.pick() for _ in range(30)]
        assert winners(made) == dict.fromkeys(addresses, 10)
        freed = made[0].decision.winner.address
        for one in made:
            if one.decision.winner.address == freed:
                picker.end(one)

        def is_seen() -> bool:
            known = picker.store.get(freed)
            return known is not None and known.load is not None and known.load.waiting == 0

        await until(is_seen)
        assert winners([picker.pick() for _ in range(10)]) == {freed: 10}


@pytest.mark.parametrize("preset", PRESETS)
async def test_of_servers_of_different_models_each_gets_the_requests_for_its_own(
    preset: str,
) -> None:
    def serving_only(model: str) -> Behaviour:
        models = f'{{"data": [{{"id": "{model}"}}]}}'.encode()
        return by_path({"/metrics": small(waiting=0, usage=0.1), "/v1/models": models})

    servers = [serving_only("llama"), serving_only("qwen")]
    async with picking(*servers, config=preset_text(preset)) as (picker, (llama, qwen)):
        await until(
            lambda: all(e.load and e.load.models for e in picker.store.snapshot().endpoints)
        )
        assert winners([picker.pick("llama") for _ in range(6)]) == {llama: 6}
        assert winners([picker.pick("qwen") for _ in range(6)]) == {qwen: 6}
        assert winners([picker.pick("unknown") for _ in range(6)]).total() == 6


async def test_a_model_that_is_in_memory_draws_its_requests() -> None:
    servers = [
        Ollama("llama3:latest", "qwen3:8b", loaded=("llama3:latest",)),
        Ollama("llama3:latest", "qwen3:8b", loaded=("qwen3:8b",)),
        Ollama("llama3:latest", "qwen3:8b"),
        Ollama("mistral:latest"),
    ]
    async with picking(*servers, config=OLLAMA) as (picker, (llama, qwen, empty, _)):
        await until(lambda: engines(picker) == ["ollama"] * 4)
        await until(
            lambda: all(e.load and e.load.models for e in picker.store.snapshot().endpoints)
        )
        for model, wanted in (("llama3", llama), ("llama3:latest", llama), ("qwen3:8b", qwen)):
            made = picker.pick(model)
            assert made.decision.winner.address == wanted
            picker.end(made)
        servers[0].loaded = ["qwen3:8b"]
        await until(lambda: _loaded(picker, llama) == {"qwen3:8b"})
        assert picker.pick("llama3").decision.winner.address == empty


def _loaded(picker: Picker, address: str) -> frozenset[str]:
    known = picker.store.get(address)
    return (known.load.loaded if known and known.load else None) or frozenset()


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_server_that_dies_is_not_taken_for_an_idle_one(preset: str) -> None:
    died = asyncio.Event()

    def dying(visit: Visit) -> None:
        (hang if died.is_set() else NOWHERE)(visit)

    async with picking(dying, NOWHERE, config=preset_text(preset)) as (picker, (_, alive)):
        await until(lambda: engines(picker) == ["unknown"] * 2)
        died.set()
        await until(lambda: picker.poller.errors["timeout"])
        await until(lambda: not _is_fresh(picker, 0))
        assert winners([picker.pick() for _ in range(10)]) == {alive: 10}


def _is_fresh(picker: Picker, index: int) -> bool:
    now = asyncio.get_running_loop().time()
    return picker.store.snapshot().endpoints[index].fresh_load(now, 2.0) is not None
