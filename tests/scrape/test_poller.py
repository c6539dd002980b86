from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.store import Change, Store
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller
from epp.scrape.replica import Replica
from epp.scrape.tls import tls_context
from tests.scrape import certificates
from tests.scrape.pages import small
from tests.scrape.server import Server, Visit, answer, drip, flood, hang, say, serving

QUICK = Pace(interval_s=0.01, idle_interval_s=0.02, max_backoff_s=0.05)


def endpoint(server: Server, engine: str = "vllm") -> Endpoint:
    return Endpoint(server.address, metrics_url=server.url, engine=engine)


def poller_of(store: Store, pace: Pace = QUICK) -> Poller:
    return Poller(store, rng=random.Random(3), pace=pace, timeout_s=0.2)


@asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(poller.run())
        yield
        task.cancel()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


def waiting(store: Store) -> int | None:
    (known,) = store.snapshot().endpoints
    return known.load.waiting if known.load else None


async def test_the_store_knows_what_the_pages_say_and_when_they_came() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small(waiting=4)))) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: waiting(store) == 4)
        server.behaviour = say(answer(small(waiting=5)))
        await until(lambda: waiting(store) == 5)
        (known,) = store.snapshot().endpoints
        assert known.load is not None
        assert known.load.at == pytest.approx(asyncio.get_running_loop().time(), abs=5)
    assert poller.scrapes >= 2
    assert not poller.errors


async def test_endpoints_may_be_there_before_it_runs() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small(waiting=4)))) as server:
        poller.follow(store.replace([endpoint(server)]))
        assert server.requests == []
        async with running(poller):
            await until(lambda: waiting(store) == 4)


async def test_an_endpoint_that_left_is_not_asked_any_more() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small()))) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: poller.scrapes)
        poller.follow(store.replace([]))
        await until(server.ended.is_set)
        asked = len(server.requests)
        await asyncio.sleep(5 * QUICK.idle_interval_s)
        assert len(server.requests) == asked


async def test_an_endpoint_that_comes_back_is_asked_anew() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small(waiting=4)))) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: waiting(store) == 4)
        poller.follow(store.replace([]))
        poller.follow(store.replace([endpoint(server)]))
        assert waiting(store) is None
        await until(lambda: waiting(store) == 4)


async def test_a_pick_makes_an_idle_endpoint_asked_at_once() -> None:
    store = Store()
    poller = poller_of(store, Pace(interval_s=0.01, idle_interval_s=1000.0))
    async with serving(say(answer(small()))) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: poller.scrapes == 1)
        for picked in store.snapshot().endpoints:
            poller.used(picked)
        await until(lambda: poller.scrapes > 5)


async def test_a_pick_of_what_is_not_asked_is_no_matter() -> None:
    poller_of(Store()).used(Endpoint("10.0.0.9:8000"))


async def test_an_endpoint_without_a_metrics_url_is_left_alone() -> None:
    poller = poller_of(Store())
    poller.follow(Change(joined=(Endpoint("10.0.0.1:8000"),)))
    assert repr(poller) == "<Poller of 0, 0 scrapes, 0 errors>"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (Endpoint("10.0.0.1:8000", metrics_url="ftp://10.0.0.1/"), "address"),
        (Endpoint("10.0.0.1:8000", metrics_url="http://10.0.0.1/", engine="x"), "engine"),
    ],
)
async def test_an_endpoint_that_cannot_be_asked_is_counted_and_told(
    wrong: Endpoint, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    poller = poller_of(Store())
    poller.follow(Change(joined=(wrong,)))
    assert poller.errors == {kind: 1}
    assert f"metrics of 10.0.0.1:8000 are never read: {kind}" in caplog.text


async def test_bad_servers_are_counted_by_kind_and_disturb_no_good_one() -> None:
    bad: dict[str, Callable[[Visit], None]] = {
        "hang": hang,
        "drip": drip,
        "flood": flood,
        "500": say(answer(b"", status="500 Oh")),
        "redirect": say(answer(b"", "location: http://127.0.0.1:1/", status="302 Found")),
        "garbage": say(b"garbage\r\n\r\n"),
        "half": say(answer(small())[:-5], close=True),
        "nan": say(answer(small(waiting="NaN", running="1e308", usage="-Inf"))),
        "reset": lambda visit: visit.transport.abort(),
    }
    store = Store()
    poller = poller_of(store)
    async with AsyncExitStack() as servers, running(poller):
        pool = []
        for behaviour in [say(answer(small(waiting=4)))] * 3 + list(bad.values()):
            server = await servers.enter_async_context(serving(behaviour))
            pool.append(endpoint(server))
        poller.follow(store.replace(pool))
        kinds = {"timeout", "too-large", "status", "malformed", "empty", "connect"}
        await until(lambda: set(poller.errors) >= kinds and poller.scrapes > 50)
        known = {e.address for e in store.snapshot().endpoints if e.load is not None}
        assert known == {one.address for one in pool[:3]}


async def test_the_last_good_load_stays_and_grows_old_while_a_server_fails() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small(waiting=4)))) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: waiting(store) == 4)
        server.behaviour = say(b"garbage\r\n\r\n")
        await until(lambda: poller.errors["malformed"] >= 3)
        assert waiting(store) == 4


async def test_nothing_is_left_when_it_ends() -> None:
    before = asyncio.all_tasks()
    store = Store()
    poller = poller_of(store)
    async with serving(hang) as hung, serving(say(answer(small()))) as good:
        async with running(poller):
            poller.follow(
                store.replace([endpoint(hung), endpoint(good)]),
            )
            await until(lambda: poller.scrapes > 3 and hung.requests)
        asked = len(good.requests)
        assert asyncio.all_tasks() == before
        await asyncio.sleep(5 * QUICK.idle_interval_s)
        assert len(good.requests) == asked


def replicas_alive(address: str) -> list[Replica]:
    """Return those of one server: a pool of another test may not have been collected yet."""
    gc.collect()
    replicas = [thing for thing in gc.get_objects() if type(thing) is Replica]
    return [replica for replica in replicas if replica.endpoint.address == address]


async def test_endpoints_that_come_and_go_leave_nothing_behind() -> None:
    store = Store()
    poller = poller_of(store)
    async with serving(say(answer(small()))) as server, running(poller):
        for _ in range(20):
            poller.follow(store.replace([]))
            poller.follow(store.replace([endpoint(server)]))
            await until(lambda: store.snapshot().endpoints[0].load is not None)
        await until(lambda: len(replicas_alive(server.address)) == 1)
        await until(lambda: sum(not v.transport.is_closing() for v in server.visits) == 1)


async def test_https_goes_through_with_token_and_trust(tmp_path: Path) -> None:
    pem = certificates.write(tmp_path, "127.0.0.1")
    store = Store()
    poller = Poller(
        store,
        rng=random.Random(3),
        pace=QUICK,
        token="s3cret",
        tls=tls_context(ca_file=str(pem)),
    )
    behaviour = say(answer(small(waiting=4)))
    async with serving(behaviour, certificates.server_context(pem)) as server, running(poller):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: waiting(store) == 4)
    assert b"\r\nAuthorization: Bearer s3cret\r\n" in server.requests[0]


async def test_https_is_verified_by_default(tmp_path: Path) -> None:
    pem = certificates.write(tmp_path, "127.0.0.1")
    store = Store()
    poller = poller_of(store)
    async with (
        serving(say(answer(small())), certificates.server_context(pem)) as server,
        running(poller),
    ):
        poller.follow(store.replace([endpoint(server)]))
        await until(lambda: poller.errors["tls"])
    assert server.requests == []
