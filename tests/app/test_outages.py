"""Whatever the API server does, requests are served, and the pool is right in the end."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.app.test_cluster import addresses, picked, running, settings, until, until_ready
from tests.fakekube.faults import FAULTS, LASTING, Fault, reset_then_refused
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod, pool
from tests.server.envoy import destination

SEEN_AFTER_S = 5.0  # of the server's return
REFUSING_S = 5.0  # a server that refuses twice is back only when it was asked for the third time


@pytest.mark.slow
async def test_a_long_outage_is_over_for_the_picker_soon_after_it_is_over() -> None:
    async with FakeKube() as kube:
        kube.apply(pool("chat", 8000, app="vllm"), pod("a", ip="127.0.0.1", app="vllm"))
        async with running(settings(kube, "default/chat")) as app:
            await until_ready(app)
            async with reset_then_refused(kube):
                await asyncio.sleep(15.0)
                kube.apply(pod("e", ip="127.0.0.5", app="vllm"))
                assert destination(await picked(app.grpc_port)) == "127.0.0.1:8000"
            async with asyncio.timeout(SEEN_AFTER_S):
                while len(addresses(app, "default/chat")) < 2:
                    await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_requests_are_served_and_the_pool_is_right_in_the_end(fault: Fault) -> None:
    async with FakeKube() as kube:
        kube.apply(pool("chat", 8000, app="vllm"))
        kube.apply(
            *(pod(name, ip=ip, app="vllm") for name, ip in (("a", "127.0.0.1"), ("b", "127.0.0.2")))
        )
        async with running(settings(kube, "default/chat")) as app:
            await until_ready(app)
            await until(lambda: len(kube.watches) >= 2)
            before = len(kube.requests)
            async with fault(kube):
                kube.delete(POD, "a")
                kube.apply(pod("e", ip="127.0.0.5", app="vllm"))
                for _ in range(5):
                    assert destination(await picked(app.grpc_port))
                    await asyncio.sleep(0.05)
                if fault in LASTING:
                    await asyncio.sleep(1.0)
            async with asyncio.timeout(REFUSING_S + SEEN_AFTER_S):
                while sorted(addresses(app, "default/chat")) != [
                    "127.0.0.2:8000",
                    "127.0.0.5:8000",
                ]:
                    assert addresses(app, "default/chat"), "an outage empties no pool"
                    await asyncio.sleep(0.01)
            assert destination(await picked(app.grpc_port)) in {"127.0.0.2:8000", "127.0.0.5:8000"}
            for path in {request.path for request in kube.requests[before:]}:
                asked = [r.at for r in kube.requests[before:] if r.path == path]
                assert len(asked) <= 10, f"{len(asked)} requests for {path}"
                # A server that refuses is back after its last refusal: how soon is it asked again?
                assert all(b - a <= SEEN_AFTER_S for a, b in pairwise(asked)), path
