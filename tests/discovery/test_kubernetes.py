from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from epp.discovery.annotations import BODY_MODE, PoolSettings
from epp.discovery.facts import PoolFacts
from epp.discovery.inference_pool import GROUP, LEGACY_GROUP
from epp.discovery.kubernetes import PoolSource
from epp.exchange.modes import BodyMode
from epp.pool.endpoint import Endpoint
from tests.discovery.cluster import (
    LEGACY_POOLS,
    OBJECTIVES,
    POOLS,
    REWRITES,
    FakeCluster,
    Followed,
    legacy_pool,
    pod,
    pool,
)
from tests.discovery.test_objectives import objective
from tests.discovery.test_rewrites import rewrite, rule

PODS = "/api/v1/namespaces/prod/pods"
POOL = f"/apis/{GROUP}/v1/namespaces/prod/inferencepools"
LEGACY = f"/apis/{LEGACY_GROUP}/v1alpha2/namespaces/prod/inferencepools"
OBJECTIVE = "/apis/llm-d.ai/v1alpha2/namespaces/prod/inferenceobjectives"
REWRITE = "/apis/llm-d.ai/v1alpha2/namespaces/prod/inferencemodelrewrites"
DELETED = {"deletionTimestamp": "2026-11-23T10:00:00Z"}


class Stage:
    """A source of the pool prod/chat, the cluster it looks at, and what it says in its order."""

    def __init__(self, *served: str) -> None:
        self.cluster = FakeCluster(*served)
        self.said: list[Any] = []
        self.source = PoolSource(self.cluster, "prod", "chat", told=self.said.append)

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        self.said.append([endpoint.address for endpoint in endpoints])

    @property
    def sets(self) -> list[list[str]]:
        return [said for said in self.said if isinstance(said, list)]

    @property
    def told(self) -> list[PoolFacts]:
        return [said for said in self.said if isinstance(said, PoolFacts)]

    def pods(self) -> list[Followed[Any]]:
        return self.cluster.followed.get(PODS, [])

    async def feed(self, path: str, *objects: Any) -> None:
        """The server's word, and time for it to settle."""
        self.cluster.at(path).feed(*objects)
        await asyncio.sleep(1)


@asynccontextmanager
async def playing(*served: str) -> AsyncIterator[Stage]:
    stage = Stage(*(served or [POOLS]))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stage.source.run(stage.publish))
        await asyncio.sleep(1)
        yield stage
        task.cancel()
    assert not any(one.running for all_ in stage.cluster.followed.values() for one in all_)


@pytest.mark.looptime
async def test_a_pool_and_its_pods_are_published_as_they_change() -> None:
    async with playing() as stage:
        assert stage.cluster.at(POOL).selector == "metadata.name=chat"
        await stage.feed(POOL, pool())
        assert stage.cluster.at(PODS).selector == "app=vllm"
        assert stage.sets == []
        await stage.feed(PODS, pod("a"), pod("b", "10.0.0.2"))
        await stage.feed(PODS, pod("a", ready=False), pod("b", "10.0.0.2"))
        await stage.feed(PODS)
    assert stage.sets == [["10.0.0.1:8000", "10.0.0.2:8000"], ["10.0.0.2:8000"], []]


@pytest.mark.looptime
async def test_what_a_pool_means_is_told_before_its_endpoints() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
    first, then = stage.said
    assert first.exists
    assert str(first.pool) == "prod/chat"
    assert first == stage.source.facts
    assert then == ["10.0.0.1:8000"]
    assert repr(stage.source) == "<PoolSource prod/chat, <Membership prod/chat, 1 pods>>"


@pytest.mark.looptime
async def test_a_change_without_a_meaning_is_not_told() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
        await stage.feed(POOL, pool(metadata={"resourceVersion": "2"}))
        await stage.feed(PODS, pod("a", resourceVersion="2", annotations={"probed": "yes"}))
    assert len(stage.said) == 2


@pytest.mark.looptime
async def test_a_pool_that_is_not_there_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "epp.discovery")
    async with playing() as stage:
        await stage.feed(POOL)
        assert stage.said == [PoolFacts()]
        assert not stage.source.facts.exists
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
    assert stage.sets == [["10.0.0.1:8000"]]
    assert [r.getMessage() for r in caplog.records] == [
        "there is no such InferencePool; waiting for it",
        "InferencePool found",
    ]


@pytest.mark.looptime
async def test_a_changed_selector_swaps_the_whole_set_when_the_new_pods_are_listed() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"), pod("b", "10.0.0.2"))
        old = stage.cluster.at(PODS)
        selector = {"matchLabels": {"app": "vllm", "version": "2"}}
        await stage.feed(POOL, pool(selector=selector, targetPorts=[{"number": 9000}]))
        new = stage.cluster.at(PODS)
        assert (new.selector, new.running, old.running) == ("app=vllm,version=2", True, True)
        old.feed(pod("a"))  # the old pods go on, with the old port
        await asyncio.sleep(1)
        new.feed(pod("c", "10.0.0.3"), pod("d", "10.0.0.4"))
        await asyncio.sleep(1)
        assert (new.running, old.running) == (True, False)
        old.feed(pod("a"), pod("b"))  # an answer that was under way
        await asyncio.sleep(1)
    assert stage.sets == [
        ["10.0.0.1:8000", "10.0.0.2:8000"],
        ["10.0.0.1:8000"],
        ["10.0.0.3:9000", "10.0.0.4:9000"],
    ]


@pytest.mark.looptime
async def test_changed_ports_change_the_endpoints_at_once() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
        await stage.feed(POOL, pool(targetPorts=[{"number": 9000}, {"number": 9001}]))
        assert len(stage.pods()) == 1
    assert stage.sets == [["10.0.0.1:8000"], ["10.0.0.1:9000", "10.0.0.1:9001"]]


@pytest.mark.looptime
async def test_a_selector_that_changes_back_keeps_the_old_pods() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
        await stage.feed(POOL, pool(selector={"matchLabels": {"app": "other"}}))
        await stage.feed(POOL, pool())
        assert [one.running for one in stage.pods()] == [True, False]
    assert stage.sets == [["10.0.0.1:8000"]]


@pytest.mark.looptime
async def test_a_selector_that_changes_twice_is_listed_as_it_is_last() -> None:
    async with playing() as stage:
        for app in ("one", "two", "two", "three"):
            await stage.feed(POOL, pool(selector={"matchLabels": {"app": app}}))
        assert [one.selector for one in stage.pods()] == ["app=one", "app=two", "app=three"]
        assert [one.running for one in stage.pods()] == [False, False, True]
        ports = [{"number": 9000}]
        await stage.feed(POOL, pool(selector={"matchLabels": {"app": "three"}}, targetPorts=ports))
        await stage.feed(PODS, pod("a"))
    assert stage.sets == [["10.0.0.1:9000"]]


@pytest.mark.looptime
async def test_an_empty_selector_selects_no_pods() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
        await stage.feed(POOL, pool(selector={}))
        assert not stage.cluster.at(PODS).running
    assert stage.sets == [["10.0.0.1:8000"], []]
    (complaint,) = stage.source.facts.complaints
    assert "is empty" in complaint.text


@pytest.mark.looptime
@pytest.mark.parametrize("left", [[], [pool(metadata=DELETED)]])
async def test_a_deleted_pool_is_empty_and_may_come_back(
    left: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "epp.discovery")
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a", labels={"llm-d.ai/engine-type": "x"}))
        (_,) = stage.told[-1].complaints
        await stage.feed(POOL, *left)
        assert not stage.told[-1].exists
        assert stage.told[-1].complaints == ()
        assert not stage.cluster.at(PODS).running
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a"))
    assert stage.sets == [["10.0.0.1:8000"], [], ["10.0.0.1:8000"]]
    levels = [r.levelname for r in caplog.records if "InferencePool" in r.getMessage()]
    assert levels == ["INFO", "WARNING", "INFO"]


@pytest.mark.looptime
async def test_only_the_older_api_will_do() -> None:
    async with playing(LEGACY_POOLS) as stage:
        await stage.feed(LEGACY, legacy_pool())
        await stage.feed(PODS, pod("a"))
    assert stage.sets == [["10.0.0.1:8000"]]


@pytest.mark.looptime
async def test_annotations_are_live() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        annotations = {BODY_MODE: "buffered", "epp/max-body-bytes": "1024"}
        await stage.feed(POOL, pool(metadata={"annotations": annotations}))
        annotations = {BODY_MODE: "Buffered", "epp/max-body-bytes": "1Ki"}
        await stage.feed(POOL, pool(metadata={"annotations": annotations}))
    _, good, bad = stage.told
    assert good.modes.body is BodyMode.BUFFERED
    assert good.settings == PoolSettings(max_body_bytes=1024)
    assert good.complaints == ()
    assert bad.modes.body is BodyMode.FULL_DUPLEX_STREAMED
    assert bad.settings == PoolSettings()
    assert len(bad.complaints) == 2


@pytest.mark.looptime
async def test_objectives_and_rewrites_are_used_where_they_are_served() -> None:
    async with playing(POOLS, OBJECTIVES, REWRITES) as stage:
        await stage.feed(OBJECTIVE, objective("urgent", 5))
        await stage.feed(REWRITE, rewrite(rule("gpt", to="llama")))
        assert stage.said == []  # nobody's, until there is a pool
        await stage.feed(POOL, pool())
        (known,) = stage.told
        assert known.objectives.priority("urgent") == 5
        assert known.rewrites.target("gpt", str) == "llama"
        await stage.feed(OBJECTIVE)
        await stage.feed(REWRITE)
    assert stage.source.facts.objectives.priority("urgent") == 0
    assert not stage.source.facts.rewrites


@pytest.mark.looptime
async def test_objectives_that_are_served_later_are_found() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await asyncio.sleep(100)
        stage.cluster.served.add(OBJECTIVES)
        await asyncio.sleep(60)
        await stage.feed(OBJECTIVE, objective("urgent", 5))
        assert REWRITE not in stage.cluster.followed
    assert stage.source.facts.objectives.priority("urgent") == 5
    assert len(stage.cluster.probes) < 10


@pytest.mark.looptime
async def test_a_complaint_is_logged_once_however_many_pods_have_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = {"llm-d.ai/engine-type": "x"}
    async with playing() as stage:
        await stage.feed(POOL, pool())
        await stage.feed(PODS, pod("a", labels=wrong), pod("b", "10.0.0.2", labels=wrong))
        await stage.feed(PODS, pod("b", "10.0.0.2", labels=wrong))
        await stage.feed(POOL, pool(metadata={"annotations": {"a": "b"}}))
    (told,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert str(vars(told)["problem"]).startswith("Pod prod/a: metadata.labels")


@pytest.mark.looptime
async def test_many_changes_are_few_sets() -> None:
    async with playing() as stage:
        await stage.feed(POOL, pool())
        pods = [pod(f"v-{i:04}", f"10.0.{i // 250}.{i % 250 + 1}") for i in range(300)]
        for i in range(len(pods)):
            stage.cluster.at(PODS).feed(*pods[i:])
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
    assert len(stage.sets[-1]) == 1
    assert 10 < len(stage.sets) < 40
