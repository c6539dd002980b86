"""After everything that an API server does to its clients, the copy is what the server has."""

from __future__ import annotations

import asyncio

import pytest

from epp.kube.client import KubeClient
from tests.fakekube.faults import FAULTS, LASTING, Fault
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod
from tests.kube.copy import reflecting


def versions(kube: FakeKube) -> dict[str, str]:
    return {
        obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in kube.objects(POD)
    }


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_after_each_fault_the_copy_is_what_the_server_has(
    kube: FakeKube, client: KubeClient, fault: Fault
) -> None:
    kube.apply(pod("a"), pod("b"))
    async with reflecting(client) as (_, copy):
        await copy.until(versions(kube))
        await kube.until(lambda: kube.watches)
        before = len(kube.requests)
        async with fault(kube):
            kube.delete(POD, "a")
            kube.apply(pod("e"))
        await copy.until(versions(kube), within_s=5)
        assert len(kube.requests) - before <= 10
    assert copy.names == ["b", "e"]
    assert all(copy.calls), "an outage is no reason to have nothing"


HARD_TO_READ = [each for each in FAULTS if each.name in {"split-lines", "long-line", "next-line"}]


@pytest.mark.parametrize("fault", HARD_TO_READ, ids=repr)
async def test_lines_that_are_hard_to_read_are_read(
    kube: FakeKube, client: KubeClient, fault: Fault
) -> None:
    kube.apply(pod("a"), pod("b"))
    async with reflecting(client) as (reflector, copy):
        await copy.until(versions(kube))
        await kube.until(lambda: kube.watches)
        async with fault(kube):
            kube.apply(pod("e"))
        await copy.until(versions(kube))
        assert not reflector.stats.restarts


@pytest.mark.parametrize("fault", LASTING, ids=repr)
async def test_an_outage_of_five_seconds_is_no_storm_and_takes_nothing_away(
    kube: FakeKube, client: KubeClient, fault: Fault
) -> None:
    kube.apply(pod("a"), pod("b"))
    async with reflecting(client) as (reflector, copy):
        await copy.until(versions(kube))
        await kube.until(lambda: kube.watches)
        requests, before = len(kube.requests), reflector.stats.requests
        async with fault(kube):
            await asyncio.sleep(1.0)  # five seconds at the pace of these tests
            kube.apply(pod("e"))
        assert reflector.stats.requests - before >= 2
        await copy.until(versions(kube), within_s=3.0)
        assert len(kube.requests) - requests <= 10
        assert reflector.stats.requests - before <= 10
    assert all(copy.calls)
