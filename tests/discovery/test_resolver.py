from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

import pytest

from epp.discovery.resolver import LOOKUP_TIMEOUT_S, Resolver, lookup
from tests.discovery.names import Names


async def test_all_names_are_asked_at_the_same_time() -> None:
    names = Names(a=["10.0.0.1"], b=["10.0.0.2"])
    answers = await Resolver(names.lookup).answers(["a", "b", "a"])
    assert answers == {"a": ("10.0.0.1",), "b": ("10.0.0.2",)}
    assert sorted(names.asked) == ["a", "b"]


async def test_a_failed_lookup_keeps_the_last_answer_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = Names(a=["10.0.0.1"])
    resolver = Resolver(names.lookup)
    await resolver.answers(["a"])
    names.table.clear()
    for _ in range(3):
        assert await resolver.answers(["a"]) == {"a": ("10.0.0.1",)}
    (record,) = caplog.records
    assert record.getMessage() == "host name does not resolve; its last addresses stay"
    assert vars(record)["host"] == "a"
    assert not resolver.lacking


async def test_a_name_that_comes_back_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "epp.discovery")
    names = Names()
    resolver = Resolver(names.lookup)
    assert await resolver.answers(["a"]) == {}
    assert resolver.lacking
    names.table["a"] = ["10.0.0.1"]
    assert await resolver.answers(["a"]) == {"a": ("10.0.0.1",)}
    assert not resolver.lacking
    assert [record.getMessage() for record in caplog.records] == [
        "host name does not resolve; it is left out",
        "host name resolves again",
    ]


async def test_a_name_that_is_not_asked_for_is_forgotten() -> None:
    names = Names(a=["10.0.0.1"], b=["10.0.0.2"])
    resolver = Resolver(names.lookup)
    await resolver.answers(["a", "gone"])
    assert await resolver.answers(["b"]) == {"b": ("10.0.0.2",)}
    assert not resolver.lacking


@pytest.mark.looptime
async def test_a_name_server_that_hangs_has_failed() -> None:
    async def hang(name: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await Resolver(hang).answers(["a", "b"]) == {}
    assert loop.time() - started == LOOKUP_TIMEOUT_S


class _Answering(asyncio.SelectorEventLoop):
    """A loop whose resolver has one answer."""

    def __init__(self, ips: Sequence[str]) -> None:
        super().__init__()
        self._ips = ips

    async def getaddrinfo(self, *args: object, **kwargs: object) -> list[tuple[object, ...]]:  # type: ignore[override]
        families = [socket.AF_INET6 if ":" in ip else socket.AF_INET for ip in self._ips]
        return [(f, 1, 6, "", (ip, 0)) for f, ip in zip(families, self._ips, strict=True)]


def looked_up(ips: Sequence[str]) -> tuple[str, ...]:
    with asyncio.Runner(loop_factory=lambda: _Answering(ips)) as runner:
        return runner.run(lookup("a"))


def test_addresses_come_in_a_fixed_order_and_once() -> None:
    assert looked_up(["10.0.0.2", "10.0.0.1", "10.0.0.2"]) == ("10.0.0.1", "10.0.0.2")


def test_a_server_with_both_kinds_of_address_counts_once() -> None:
    assert looked_up(["::1", "127.0.0.1"]) == ("127.0.0.1",)


def test_a_server_with_ipv6_only_is_found() -> None:
    assert looked_up(["fd00::1", "fe80::1%eth0"]) == ("fd00::1",)


def test_an_address_that_needs_a_zone_is_none() -> None:
    with pytest.raises(OSError, match="no usable address for a"):
        looked_up(["fe80::1%eth0"])


async def test_localhost_is_the_ipv4_one() -> None:
    assert await lookup("localhost") == ("127.0.0.1",)
