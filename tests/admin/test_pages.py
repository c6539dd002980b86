from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from epp.admin.pages import Pages
from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics

WINNER = Endpoint("127.0.0.1:8000")


def decision(at: float) -> Decision:
    return Decision(at=at, profile="default", picked=(WINNER,), candidates=(WINNER,), totals=(0.0,))


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("depth", "How deep.", registry=registry).set(3)
    return registry


@pytest.fixture
def decisions() -> Decisions:
    return Decisions(capacity=5)


@pytest.fixture
async def client(
    registry: CollectorRegistry, decisions: Decisions
) -> AsyncIterator[httpx.AsyncClient]:
    async with ask(Pages(registry, decisions, lambda: 12.0)) as client:
        yield client


def ask(pages: Pages) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(pages.application())
    return httpx.AsyncClient(transport=transport, base_url="http://admin")


async def test_the_index_names_every_page(client: httpx.AsyncClient) -> None:
    index = (await client.get("/")).text
    for path in ("/metrics", "/decisions", "/healthz"):
        assert path in index
        assert (await client.get(path)).status_code == 200


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [f.samples[0].value for f in parse_text(answer.text)] == [3]


async def test_metrics_are_openmetrics_when_asked_for(client: httpx.AsyncClient) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    answer = await client.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    parse: Callable[[str], Iterable[Metric]] = openmetrics.text_string_to_metric_families
    assert [f.samples[0].value for f in parse(answer.text)] == [3]


async def test_metrics_are_only_those_that_are_named(decisions: Decisions) -> None:
    metrics = Metrics(clock=lambda: 0.0)
    metrics.stream_opened()
    names = ["llm_d_epp_extproc_streams_inflight", "process_open_fds", "unheard_of"]
    async with ask(Pages(metrics.registry, decisions, lambda: 0.0)) as client:
        answer = await client.get("/metrics", params={"name[]": names})
    told = {f.name: f.samples[0].value for f in parse_text(answer.text)}
    assert set(told) == {"llm_d_epp_extproc_streams_inflight", "process_open_fds"}
    assert told["llm_d_epp_extproc_streams_inflight"] == 1


async def test_other_work_goes_on_while_a_long_page_is_made(decisions: Decisions) -> None:
    registry = CollectorRegistry()
    family = GaugeMetricFamily("depth", "How deep.", labels=["place"])
    for n in range(5000):
        family.add_metric([str(n)], n)
    turns = 0

    class Page:
        def collect(self) -> list[GaugeMetricFamily]:
            return [family]

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    registry.register(Page())
    async with ask(Pages(registry, decisions, lambda: 0.0)) as client, asyncio.TaskGroup() as group:
        counting = group.create_task(count_turns())
        answer = await client.get("/metrics")
        counting.cancel()
    assert answer.text.count("\n") == 5002
    assert turns > 10


async def test_decisions_are_explained_newest_first(
    client: httpx.AsyncClient, decisions: Decisions
) -> None:
    for n in range(3):
        decisions.add(decision(at=10.0 + n / 2), model=f"m{n}")
    answer = await client.get("/decisions", params={"limit": "2"})
    assert answer.headers["content-type"] == "application/json"
    assert [d["request"]["model"] for d in answer.json()] == ["m2", "m1"]
    assert answer.json()[1]["age_s"] == 1.5
    assert answer.json()[0]["sentence"].startswith("127.0.0.1:8000 with")


async def test_there_may_be_no_decisions_yet(client: httpx.AsyncClient) -> None:
    assert (await client.get("/decisions")).json() == []


@pytest.mark.parametrize("limit", ["", "-1", "many", "1e3", "٣", "9" * 30])
async def test_a_limit_that_is_no_number_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/decisions", params={"limit": limit})
    assert answer.status_code == 400
    assert "such as 20" in answer.text


async def test_decisions_that_are_not_kept_are_not_found_but_hinted_at(
    registry: CollectorRegistry,
) -> None:
    async with ask(Pages(registry, Decisions(capacity=0), lambda: 0.0)) as client:
        answer = await client.get("/decisions")
    assert answer.status_code == 404
    assert "--help" in answer.text
