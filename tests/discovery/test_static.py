from __future__ import annotations

import asyncio

import pytest

from epp.discovery.address import parse_address
from epp.discovery.resolver import Resolver
from epp.discovery.static import StaticSource
from epp.discovery.target import from_addresses
from tests.discovery.names import Names
from tests.discovery.published import Published, running


def source(names: Names, *texts: str, resolve_s: float = 30.0) -> StaticSource:
    targets = from_addresses([parse_address(text) for text in texts])
    return StaticSource(targets, Resolver(names.lookup), resolve_s)


async def test_ip_addresses_are_published_once_and_for_all() -> None:
    published = Published()
    await source(Names(), "http://10.0.0.1:80", "[fd00::1]:80").run(published)
    assert published.sets == [["10.0.0.1:80", "[fd00::1]:80"]]


async def test_without_a_resolver_the_system_s_is_asked() -> None:
    published = Published()
    await StaticSource(from_addresses([parse_address("127.0.0.1:80")])).run(published)
    assert published.sets == [["127.0.0.1:80"]]


@pytest.mark.looptime
async def test_names_are_asked_for_again_and_again() -> None:
    names = Names(a=["10.0.0.1"])
    async with running(source(names, "a:80")) as published:
        await asyncio.sleep(59)
        names.table["a"] = ["10.0.0.1", "10.0.0.2"]
        await asyncio.sleep(30)
    assert published.sets == [["10.0.0.1:80"], ["10.0.0.1:80", "10.0.0.2:80"]]
    assert published.times == [0.0, 60.0]
    assert len(names.asked) == 3


@pytest.mark.looptime
async def test_the_last_good_answer_outlives_the_name_server() -> None:
    names = Names(a=["10.0.0.1"])
    async with running(source(names, "a:80", resolve_s=5.0)) as published:
        await asyncio.sleep(1)
        del names.table["a"]
        await asyncio.sleep(3600)
    assert published.sets == [["10.0.0.1:80"]]


@pytest.mark.looptime
async def test_a_name_that_never_had_an_answer_is_asked_for_every_second() -> None:
    names = Names()
    async with running(source(names, "a:80")) as published:
        await asyncio.sleep(3.5)
        assert published.sets == []
        names.table["a"] = ["10.0.0.1"]
        await published.until(["10.0.0.1:80"])
    assert published.times == [4.0]
    assert len(names.asked) == 5
