"""From KV events and tokens to a choice, with simulated servers that publish and tokenize."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import generate_latest

from epp.app.pool import ServedPool
from epp.app.precise_metrics import PreciseMetrics
from epp.config.build import build
from epp.config.load import load
from epp.config.settings import Settings, SettingsError
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer
from epp.discovery.address import parse_address
from epp.discovery.static import StaticSource
from epp.discovery.target import MetricsPlace, Target
from epp.exchange.actions import Route
from epp.routing.placement import Placement
from epp.scheduling.decision import Outcome
from epp.scheduling.kv.feed import Feed, Phase
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics

CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
  - type: precise-prefix-cache-producer
    parameters: %s
  - type: prefix-cache-scorer
    parameters: {prefixMatchInfoProducerName: precise-prefix-cache-producer}
"""
LONG = "word " * 200


def free_ports(count: int) -> int:
    """Return the first of so many ports that follow each other and are free."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            with suppress(OSError, OverflowError):
                for port in range(first + 1, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
                return int(first)


class Fleet:
    """A pool that is served, and its servers."""

    def __init__(self, pool: ServedPool, client: httpx.AsyncClient) -> None:
        self.pool = pool
        self._client = client
        self._numbers = itertools.count()

    def route(self, path: str, body: dict[str, Any]) -> Placement:
        headers = {":path": path, ":method": "POST", "x-request-id": str(next(self._numbers))}
        asked = Route(headers, msgspec.json.encode(body))
        placement = self.pool.router.route(asked, None, time.monotonic())
        assert placement.decision is not None
        self.pool._used(placement.decision, "")
        return placement

    async def ask(self, path: str = "/v1/chat/completions", **body: Any) -> tuple[Placement, str]:
        """Send a request where the picker says, and return the answer's text."""
        asked = {"model": SimOptions().served_model_name[0], "max_tokens": 4, **body}
        placement = self.route(path, asked)
        assert placement.decision is not None
        address = placement.decision.winner.address
        answer = await self._client.post(f"http://{address}{path}", json=asked)
        placement.end(Outcome(answer.status_code, completed=True), time.monotonic())
        choice = answer.raise_for_status().json()["choices"][0]
        await self.learners_settled()
        return placement, choice["message"]["content"] if "message" in choice else choice["text"]

    async def learners_settled(self) -> None:
        for learner in self.pool.caches.learners.values():
            await learner.settled()

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.005)

    @property
    def feeds(self) -> list[Feed]:
        return [f for s in self.pool.caches.subscribers.values() for f in s.feeds.all()]

    @property
    def blocks(self) -> int:
        return sum(feed.applied.stored for feed in self.feeds)


def basis(placement: Placement) -> tuple[str, dict[str, Any]]:
    """Return what a choice went by, and the terms of the winner."""
    decision = placement.decision
    assert decision is not None
    details = decision.columns[0].details
    assert details is not None
    return details.basis, dict(details.terms(decision.candidates.index(decision.winner)))


@asynccontextmanager
async def fleet(count: int = 2) -> AsyncIterator[Fleet]:
    first = free_ports(2 * count)
    events = f"podDiscoveryConfig: {{socketPort: {first}, replaySocketPort: {first + count}}}"
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        servers = [
            await stack.enter_async_context(SimServer(options(first, count, rank)))
            for rank in range(count)
        ]
        client = await stack.enter_async_context(httpx.AsyncClient())
        targets = [
            Target(parse_address(server.url), MetricsPlace(), rank=rank)
            for rank, server in enumerate(servers)
        ]
        text = CONFIG % f"{{kvEventsConfig: {{{events}}}}}"
        pool = ServedPool(
            "default",
            StaticSource(targets),
            build(load(text, "test.yaml"), seed=random.getrandbits(64)),
            Settings(),
            metrics=Metrics(clock=time.monotonic),
            decisions=Decisions(10),
            clock=time.monotonic,
        )
        running = group.create_task(pool.run())
        one = Fleet(pool, client)
        await one.until(lambda: [f.phase() for f in one.feeds] == [Phase.LIVE] * count)
        yield one
        running.cancel()


def options(first: int, count: int, rank: int) -> SimOptions:
    return SimOptions(
        port=0,
        kv_events_endpoint=f"tcp://*:{first + rank}",
        kv_events_replay_endpoint=f"tcp://*:{first + count + rank}",
        time_scale=50.0,
    )


async def test_a_conversation_is_followed_precisely_by_what_its_server_tells() -> None:
    async with fleet() as one:
        messages = [{"role": "system", "content": LONG}, {"role": "user", "content": LONG}]
        first, answer = await one.ask(messages=messages)
        assert basis(first)[0] == "approximate"
        await one.until(lambda: one.blocks >= 31)
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": "So?"}]
        model = SimOptions().served_model_name[0]
        later = one.route("/v1/chat/completions", {"model": model, "messages": messages})
        assert first.decision is not None
        assert later.decision is not None
        assert later.decision.winner.address == first.decision.winner.address
        went_by, terms = basis(later)
        assert went_by == "precise"
        assert terms["precise"] == 1.0
        assert terms["cached_tokens"] == pytest.approx(512, abs=32)
        assert terms["prompt_tokens"] == pytest.approx(530, abs=40)


async def test_token_ids_are_looked_up_as_they_come() -> None:
    async with fleet() as one:
        ids = list(range(1_000_000, 1_000_320))
        first, _ = await one.ask("/v1/completions", prompt=ids)
        await one.until(lambda: one.blocks >= 20)
        again = one.route("/v1/completions", {"model": "m", "prompt": [*ids, *range(160)]})
        assert first.decision is not None
        assert again.decision is not None
        assert again.decision.winner.address == first.decision.winner.address
        went_by, terms = basis(again)
        assert went_by == "precise"
        assert terms["cached_tokens"] == 320.0
        assert terms["prompt_tokens"] == 480.0


async def test_the_metrics_say_how_the_events_come_in() -> None:
    async with fleet(count=1) as one:
        metrics = Metrics(clock=time.monotonic)
        metrics.registry.register(PreciseMetrics(lambda: [one.pool.caches]))
        await one.ask(messages=[{"role": "user", "content": LONG}])
        await one.until(lambda: one.blocks > 10)
        page = generate_latest(metrics.registry).decode()
        (endpoint,) = one.pool.store.snapshot().endpoints
        label = f'{{pod_identifier="{endpoint.address}"}}'
        assert f"llm_d_epp_kv_cache_events_messages_received_total{label}" in page
        assert 'llm_d_epp_kv_cache_events_endpoints{phase="live"} 1.0' in page
        assert 'llm_d_epp_kv_cache_tokenized_prompts_total{result="learned"} 1.0' in page
        assert f"llm_d_epp_kv_cache_index_blocks {float(one.blocks)}" in page


def test_a_pool_without_precise_producers_has_no_such_metrics() -> None:
    assert list(PreciseMetrics(list).collect()) == []


def test_a_tokenizer_that_cannot_be_read_is_an_error_before_anything_starts() -> None:
    text = CONFIG % "{tokenization: {tokenizerFile: /nowhere/tokenizer.json}}"
    with pytest.raises(SettingsError, match=r"/nowhere/tokenizer\.json"):
        ServedPool(
            "default",
            StaticSource(()),
            build(load(text, "test.yaml"), seed=1),
            Settings(),
            metrics=Metrics(clock=time.monotonic),
            decisions=Decisions(10),
            clock=time.monotonic,
        )
