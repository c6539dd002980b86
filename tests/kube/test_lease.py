from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from epp.kube.candidacy import Lease, LeasePace
from epp.kube.client import KubeClient
from epp.kube.errors import KubeError
from epp.kube.find_access import find_access
from epp.kube.lease import Election
from tests.fakekube.kinds import LEASE
from tests.fakekube.kube import FakeKube
from tests.kube.script import Answer, Script, fails, says

QUICK = LeasePace(duration_s=1, renew_s=0.5, retry_s=0.05)


class Candidate:
    """A replica, and what it was told."""

    def __init__(self, client: KubeClient, name: str) -> None:
        self.told: list[bool] = []
        self.name = name
        self._moved = asyncio.Event()
        rng = random.Random(3)
        self.election = Election(client, "default", "epp", name, self._leading, rng=rng, pace=QUICK)

    def _leading(self, leading: bool) -> None:
        self.told.append(leading)
        self._moved.set()

    async def until(self, *told: bool) -> None:
        async with asyncio.timeout(10):
            while self.told != list(told):
                self._moved.clear()
                await self._moved.wait()


@asynccontextmanager
async def standing(*candidates: Candidate) -> AsyncIterator[list[asyncio.Task[None]]]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.election.run()) for each in candidates]
        yield tasks
        for task in tasks:
            task.cancel()


def holder(kube: FakeKube) -> str:
    return str(kube.objects(LEASE)[0]["spec"].get("holderIdentity"))


async def test_where_there_is_no_lease_one_is_made(kube: FakeKube, client: KubeClient) -> None:
    one = Candidate(client, "one")
    async with standing(one):
        await one.until(True)
        assert holder(kube) == "one"
        assert one.election.is_leading
        spec = kube.objects(LEASE)[0]["spec"]
        assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (1, 0)
        assert "leading: True" in repr(one.election)


async def test_a_leader_that_stops_hands_over_at_once(kube: FakeKube, client: KubeClient) -> None:
    one, two = Candidate(client, "one"), Candidate(client, "two")
    async with standing(one) as tasks:
        await one.until(True)
        async with standing(two):
            await kube.until(lambda: len(kube.requests) > 10)
            assert two.told == []
            tasks[0].cancel()
            await one.until(True, False)
            await two.until(True)
            assert holder(kube) == "two"
    assert two.told == [True, False]
    assert holder(kube) == ""


async def test_a_leader_that_is_cut_off_stops_before_another_begins(
    kube: FakeKube, client: KubeClient
) -> None:
    loop = asyncio.get_running_loop()
    ended, began = list[float](), list[float]()
    other = KubeClient(await find_access(kube.kubeconfig))
    cut = Script(*[forwarded(client)] * 4, *[fails(httpx.ConnectError("cut off"))] * 999)
    one, two = Candidate(cut.client(), "one"), Candidate(other, "two")
    async with standing(one):
        await one.until(True)
        async with standing(two):
            await one.until(True, False)
            ended.append(loop.time())
            await two.until(True)
            began.append(loop.time())
    assert ended < began
    await other.aclose()


def forwarded(client: KubeClient) -> Answer:
    """Let one request through to the server of a client."""

    async def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        match request.method:
            case "GET":
                asked = client.get(path)
            case "POST":
                asked = client.post(path, await request.aread())
            case _:
                asked = client.put(path, await request.aread())
        try:
            return httpx.Response(200, stream=httpx.ByteStream(await asked))
        except KubeError as error:
            return httpx.Response(error.status, stream=httpx.ByteStream(b""))

    return answer


def record(by: str, renewed: str = "1") -> bytes:
    spec = {"holderIdentity": by, "leaseDurationSeconds": 15, "renewTime": renewed}
    return msgspec.json.encode({"metadata": {"name": "epp", "resourceVersion": "7"}, "spec": spec})


async def turns(script: Script, for_s: float) -> list[tuple[float, bool]]:
    """Stand for election by the script in virtual time; returns who led when."""
    loop, told = asyncio.get_running_loop(), list[tuple[float, bool]]()
    client = script.client()
    election = Election(
        client,
        "default",
        "epp",
        "me",
        lambda leading: told.append((round(loop.time(), 1), leading)),
        rng=random.Random(3),
        clock=loop.time,
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(for_s):
            await election.run()
    await client.aclose()
    return told


@pytest.mark.looptime
async def test_a_lease_that_another_one_holds_is_awaited() -> None:
    script = Script(*[says(200, record("other"))] * 6, *[says(200, record("other", "2"))] * 999)
    assert await turns(script, 20.0) == []
    assert {ask for _, ask in script.asked} == {"list"}  # a GET


@pytest.mark.looptime
async def test_a_lease_that_is_not_renewed_is_taken() -> None:
    waits = [says(200, record("other"))] * 8
    script = Script(*waits, *[says(200, record("me"))] * 99)
    [(at, leading)] = (await turns(script, 30.0))[:1]
    assert leading
    assert 15 <= at <= 18


@pytest.mark.looptime
async def test_a_conflict_means_that_another_one_was_faster() -> None:
    mine = says(200, record("me"))
    script = Script(mine, mine, mine, says(409), mine, mine)
    told = await turns(script, 5.5)
    assert [leading for _, leading in told] == [True, False, True, False]
    assert told[1][0] <= 2.4


@pytest.mark.looptime
async def test_a_leader_without_a_server_stops_after_ten_seconds() -> None:
    mine = says(200, record("me"))
    for away in (fails(httpx.ConnectError("")), says(500), says(200, b"nonsense")):
        began = asyncio.get_running_loop().time()
        script = Script(mine, mine, *[away] * 99)
        told = await turns(script, 60.0)
        assert [(round(at - began, 1), leading) for at, leading in told] == [
            (0, True),
            (10, False),
        ]


@pytest.mark.looptime
async def test_a_server_that_does_not_answer_is_no_reason_to_go_on() -> None:
    mine = says(200, record("me"))
    assert await turns(Script(mine, mine), 60.0) == [(0, True), (10, False)]


@pytest.mark.looptime
async def test_a_release_that_fails_does_not_keep_anybody() -> None:
    mine = says(200, record("me"))
    for last in ([], [fails(httpx.ConnectError(""))]):
        script = Script(mine, mine, *last)
        assert [leading for _, leading in await turns(script, 1.0)] == [True, False]
        assert asyncio.get_running_loop().time() <= 7


@pytest.mark.looptime
async def test_a_refused_lease_is_not_made() -> None:
    assert await turns(Script(*[says(403)] * 99), 10.0) == []


def test_what_others_wrote_into_a_lease_stays() -> None:
    written = msgspec.json.decode(record("other"), type=Lease)
    assert b'"resourceVersion":"7"' in msgspec.json.encode(written)
