"""What each fault puts on the wire, seen from a bare socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fakekube import faults
from tests.fakekube.faults import FAULTS, Fault
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod

LAST_CHUNK = b"0\r\n\r\n"


class Wire:
    """One connection to the server, without any idea of HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def ask(self, kube: FakeKube, parameters: str = "watch=1") -> None:
        path = f"{POD.path('default')}?{parameters}"
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nauthorization: Bearer {kube.token}\r\n\r\n".encode()
        )

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(end), 5)

    async def rest(self) -> bytes:
        """Return what comes before the connection ends; a reset is an exception."""
        return await asyncio.wait_for(self._reader.read(), 5)


@asynccontextmanager
async def wired(kube: FakeKube) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection(
        kube.host, kube.port, ssl=kube.trust(), limit=1 << 23
    )
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def watching(kube: FakeKube, parameters: str = "") -> AsyncIterator[Wire]:
    """Watch with one pod there, up to the line that tells of it."""
    kube.apply(pod("a"))
    async with wired(kube) as wire:
        wire.ask(kube, f"watch=1&{parameters}")
        await wire.until(b"}\n\r\n")
        yield wire


def test_each_row_of_the_table_is_there() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == 20
    assert all(fault.happens.endswith(".") for fault in FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_the_server_is_itself_again_after_a_fault(kube: FakeKube, fault: Fault) -> None:
    async with watching(kube), fault(kube):
        kube.delete(POD, "a")
        kube.apply(pod("e"))
    for _ in range(2):  # that a fault may refuse
        async with wired(kube) as wire:
            wire.ask(kube, "limit=1")
            await wire.until(b"\r\n\r\n")
    async with wired(kube) as wire:
        wire.ask(kube)
        assert b'"name":"e"' in await wire.until(b"}\n\r\n")
        kube.apply(pod("f"))
        assert b'"name":"f"' in await wire.until(b"}\n\r\n")


@pytest.mark.parametrize(
    "fault",
    [faults.clean_close, faults.gone_status, faults.too_many_requests, faults.token_revoked],
    ids=repr,
)
async def test_a_watch_ends_as_it_should(kube: FakeKube, fault: Fault) -> None:
    async with watching(kube) as wire, fault(kube):
        assert await wire.until(LAST_CHUNK) == LAST_CHUNK


async def test_every_watch_closes_empty_until_the_fault_is_over(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.every_watch_closes(kube):
        assert await wire.until(LAST_CHUNK) == LAST_CHUNK
        for _ in range(3):
            wire.ask(kube)
            await wire.until(b"\r\n\r\n")
            assert await wire.until(LAST_CHUNK) == LAST_CHUNK


@pytest.mark.parametrize("fault", [faults.reset, faults.reset_then_refused], ids=repr)
async def test_a_connection_is_reset(kube: FakeKube, fault: Fault) -> None:
    async with watching(kube) as wire, fault(kube):
        with pytest.raises(ConnectionResetError):
            await wire.rest()


async def test_connections_are_refused_until_the_fault_is_over(kube: FakeKube) -> None:
    async with faults.reset_then_refused(kube):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(kube.host, kube.port)
    async with watching(kube):
        assert len(kube.watches) == 1


async def test_a_connection_ends_within_a_chunk(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.fin_mid_chunk(kube):
        size, _, part = (await wire.rest()).partition(b"\r\n")
        assert int(size, 16) > len(part)
        assert part.startswith(b'{"type":"MODIFIED"')


async def test_a_connection_ends_behind_half_a_line(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.half_line_fin(kube):
        size, _, part = (await wire.rest()).partition(b"\r\n")
        assert int(size, 16) == len(part.removesuffix(b"\r\n"))
        assert b"\n" not in part.removesuffix(b"\r\n")


async def test_an_answer_ends_behind_half_a_line(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.half_line_clean_end(kube):
        size, _, part = (await wire.until(LAST_CHUNK)).removesuffix(LAST_CHUNK).partition(b"\r\n")
        assert int(size, 16) == len(part.removesuffix(b"\r\n"))
        assert b"\n" not in part.removesuffix(b"\r\n")


async def test_lines_come_in_chunks_of_three_bytes(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.split_lines(kube):
        answer = (await wire.until(b"\n\r\n")).split(b"\r\n")
        assert set(answer[:-3:2]) == {b"3"}
        assert "größer, 模型".encode() in b"".join(answer[1::2])
        with pytest.raises(UnicodeDecodeError):
            [piece.decode() for piece in answer]


async def test_a_line_has_three_megabytes(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.long_line(kube):
        assert len(await wire.until(b"}\n\r\n")) > 3_000_000


async def test_an_annotation_has_a_line_separator_that_is_none(kube: FakeKube) -> None:
    async with watching(kube) as wire, faults.next_line(kube):
        assert b"before\xc2\x85after" in await wire.until(b"}\n\r\n")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (faults.gone_event, b'{"type":"ERROR","object":{"kind":"Status"'),
        (faults.gone_status, b"HTTP/1.1 410 Gone\r\n"),
        (faults.quick_closes, b"\r\n\r\n0\r\n\r\n"),
    ],
    ids=["event", "status", "close"],
)
async def test_the_history_before_is_gone(kube: FakeKube, fault: Fault, answer: bytes) -> None:
    async with watching(kube) as wire, fault(kube):
        await wire.until(LAST_CHUNK)
        wire.ask(
            kube, f"watch=1&resourceVersion={kube.objects(POD)[0]['metadata']['resourceVersion']}"
        )
        assert answer in await wire.until(answer)
        wire.ask(kube, "limit=1")
        assert b"HTTP/1.1 200 OK" in await wire.until(b"PodList")


async def test_what_was_bookmarked_is_not_too_old(kube: FakeKube) -> None:
    async with watching(kube, "allowWatchBookmarks=1") as wire, faults.bookmark(kube):
        told = await wire.until(LAST_CHUNK)
        assert b'"type":"BOOKMARK"' in told
        revision = told.partition(b'"resourceVersion":"')[2].partition(b'"')[0].decode()
        kube.apply(pod("e"))
        wire.ask(kube, f"watch=1&resourceVersion={revision}")
        assert b'"name":"e"' in await wire.until(b"}\n\r\n")
        seen = kube.objects(POD)[0]["metadata"]["resourceVersion"]
    async with wired(kube) as wire:
        wire.ask(kube, f"watch=1&resourceVersion={seen}")
        assert b'"reason":"Expired"' in await wire.until(LAST_CHUNK)


async def test_a_watch_that_begins_with_all_there_is_is_never_too_old(kube: FakeKube) -> None:
    kube.apply(pod("a"))
    kube.compact()
    async with wired(kube) as wire:
        wire.ask(kube, "watch=1&sendInitialEvents=1&allowWatchBookmarks=1&resourceVersion=1")
        assert b'"type":"ADDED"' in await wire.until(b"}\n\r\n")
        mark = await wire.until(b"}\n\r\n")
        assert b'"type":"BOOKMARK"' in mark
        assert b'"k8s.io/initial-events-end":"true"' in mark


@pytest.mark.parametrize(
    ("fault", "status", "part"),
    [
        (faults.too_many_requests, b" 429 ", b"Retry-After: 1\r\n"),
        (faults.internal_error, b" 500 ", b"application/json"),
        (faults.unavailable_text, b" 503 ", b"text/plain"),
        (faults.unavailable_empty, b" 503 ", b"Content-Length: 0\r\n\r\n"),
    ],
    ids=repr,
)
async def test_the_first_two_answers_are_refusals(
    kube: FakeKube, fault: Fault, status: bytes, part: bytes
) -> None:
    async with fault(kube):
        answers = []
        for _ in range(3):
            async with wired(kube) as wire:
                wire.ask(kube, "limit=1")
                answers.append(await wire.until(b"\r\n\r\n"))
    assert [status in answer and part in answer for answer in answers] == [True, True, False]


async def test_a_silent_connection_stays_open(kube: FakeKube) -> None:
    async with watching(kube) as wire:
        async with faults.silence(kube):
            kube.apply(pod("e"))
        kube.apply(pod("f"))
        wire.ask(kube, "limit=1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.until(b"\n"), 0.1)
    assert len(kube.requests) == 1


async def test_the_old_token_is_refused_and_the_file_has_another(kube: FakeKube) -> None:
    old = kube.token
    async with faults.token_revoked(kube):
        assert kube.token_file.read_text() == kube.token != old
        async with wired(kube) as wire:
            wire.ask(kube)
            assert b" 200 " in await wire.until(b"\r\n")
        kube.token = old
        async with wired(kube) as wire:
            wire.ask(kube)
            assert b" 401 " in await wire.until(b"\r\n")
