from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from epp.scrape.client import Client
from epp.scrape.errors import ScrapeError
from epp.scrape.target import Target, target
from epp.scrape.tls import tls_context
from tests.scrape import certificates
from tests.scrape.pages import real
from tests.scrape.server import Behaviour, Visit, answer, drip, flood, hang, say, serving

PAGE = real("busy")


class Asking:
    """A client whose answers can be awaited."""

    def __init__(
        self, client: Client, whom: Target, answers: asyncio.Queue[bytes | ScrapeError]
    ) -> None:
        self.client = client
        self.target = whom
        self.answers = answers

    async def ask(self, other: Target | None = None) -> bytes | ScrapeError:
        self.client.ask(other or self.target)
        result = await self.answers.get()
        assert not self.client.busy
        return result

    async def kind(self) -> str:
        error = await self.ask()
        assert isinstance(error, ScrapeError)
        return error.kind


@asynccontextmanager
async def asking(
    url: str, *, timeout_s: float = 5.0, tls: ssl.SSLContext | None = None, token: str = ""
) -> AsyncIterator[Asking]:
    answers: asyncio.Queue[bytes | ScrapeError] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:  # does not end before the client's tasks have
        client = Client(
            answers.put_nowait,
            start=group.create_task,
            tls=tls,
            timeout_s=timeout_s,
        )
        yield Asking(client, target(url, token), answers)
        client.close()
    assert answers.empty()


async def test_all_pages_come_over_one_connection() -> None:
    async with serving(say(answer(PAGE))) as server, asking(server.url, token="t") as client:
        assert [await client.ask() for _ in range(5)] == [PAGE] * 5
    assert len(server.visits) == 1
    assert server.requests == [target(server.url, "t").request] * 5


async def test_other_pages_of_the_server_come_over_the_same_connection() -> None:
    async with serving(say(answer(PAGE))) as server, asking(server.url) as client:
        other = target(server.url.replace("/metrics", "/v1/models"))
        assert [await client.ask(), await client.ask(other), await client.ask()] == [PAGE] * 3
    assert len(server.visits) == 1
    assert b"GET /v1/models HTTP/1.1\r\n" in server.requests[1]


async def test_a_page_of_another_server_takes_the_place_of_the_connection() -> None:
    async with (
        serving(say(answer(PAGE))) as one,
        serving(say(answer(b"other"))) as two,
        asking(one.url) as client,
    ):
        assert await client.ask() == PAGE
        assert await client.ask(target(two.url)) == b"other"
        await asyncio.wait_for(one.ended.wait(), 5)
        assert await client.ask() == PAGE
    assert [len(one.visits), len(two.visits)] == [2, 1]


@pytest.mark.parametrize(
    "data",
    [
        [answer(PAGE)],
        [answer(gzip.compress(PAGE), "content-encoding: gzip")],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"],
    ],
)
async def test_a_page_may_come_in_every_framing(data: list[bytes]) -> None:
    async with serving(say(*data)) as server, asking(server.url) as client:
        first, second = await client.ask(), await client.ask()
    assert first == second
    assert first in (PAGE, b"abc")
    assert len(server.visits) == 1


async def test_a_page_that_ends_with_the_connection_is_whole() -> None:
    behaviour = say(b"HTTP/1.0 200 OK\r\n\r\n", PAGE, close=True)
    async with serving(behaviour) as server, asking(server.url) as client:
        assert [await client.ask(), await client.ask()] == [PAGE, PAGE]
    assert len(server.visits) == 2


async def test_a_connection_that_the_server_closed_while_idle_is_made_anew() -> None:
    async with serving(say(answer(PAGE), close=True)) as server, asking(server.url) as client:
        for _ in range(3):
            assert await client.ask() == PAGE
            await asyncio.wait_for(server.ended.wait(), 5)
            server.ended.clear()
    assert len(server.visits) == 3


async def test_a_question_that_crosses_the_end_of_an_idle_connection_is_asked_again() -> None:
    def once(visit: Visit) -> None:
        if visit.requests == 1:
            visit.transport.write(answer(PAGE))
        else:
            visit.transport.abort()

    async with serving(once) as server, asking(server.url) as client:
        assert [await client.ask() for _ in range(3)] == [PAGE] * 3
    assert [visit.requests for visit in server.visits] == [2, 2, 1]


async def test_a_new_connection_that_ends_without_an_answer_is_an_error() -> None:
    def refuse(visit: Visit) -> None:
        visit.transport.abort()

    async with serving(refuse) as server, asking(server.url) as client:
        assert await client.kind() == "connect"
    assert len(server.visits) == 1


async def test_a_server_that_follows_no_question_loses_the_connection_only() -> None:
    def chatter(visit: Visit) -> None:
        visit.transport.write(answer(PAGE))
        asyncio.get_running_loop().call_later(0.01, visit.transport.write, b"more")

    async with serving(chatter) as server, asking(server.url) as client:
        assert await client.ask() == PAGE
        await asyncio.wait_for(server.ended.wait(), 5)
        assert await client.ask() == PAGE
    assert len(server.visits) == 2


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (answer(b"", status="500 Oh"), "status"),
        (answer(b"", status="404 Not Found"), "status"),
        (answer(b"", "location: http://127.0.0.1:1/", status="302 Found"), "status"),
        (b"garbage garbage garbage\r\n\r\n", "malformed"),
        (answer(PAGE)[:20_000], "malformed"),
        (answer(PAGE)[:20], "malformed"),
        (answer(PAGE, "content-encoding: br"), "encoding"),
        (answer(bytes(3 << 20)), "too-large"),
        (answer(gzip.compress(bytes(3 << 20)), "content-encoding: gzip"), "too-large"),
    ],
)
async def test_a_bad_answer_is_an_error_and_the_next_may_be_good(data: bytes, kind: str) -> None:
    async with serving(say(data, close=True)) as server, asking(server.url) as client:
        assert await client.kind() == kind
        server.behaviour = say(answer(PAGE))
        assert await client.ask() == PAGE
    assert len(server.visits) == 2


@pytest.mark.parametrize("behaviour", [hang, drip])
async def test_the_deadline_is_for_the_whole_exchange(behaviour: Behaviour) -> None:
    async with serving(behaviour) as server, asking(server.url, timeout_s=0.1) as client:
        assert await client.kind() == "timeout"
        await asyncio.wait_for(server.ended.wait(), 5)
        server.behaviour = say(answer(PAGE))
        assert await client.ask() == PAGE


async def test_a_page_without_end_is_left_off_at_its_greatest_size() -> None:
    async with serving(flood) as server, asking(server.url) as client:
        assert await client.kind() == "too-large"
        await asyncio.wait_for(server.ended.wait(), 5)


async def test_a_port_where_nobody_listens_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with asking(f"http://127.0.0.1:{taken.getsockname()[1]}/metrics") as client:
            assert [await client.kind(), await client.kind()] == ["connect", "connect"]


async def test_connecting_has_the_same_deadline() -> None:
    # A full backlog: the system drops the first packet of every further connection.
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
        async with asking(url, timeout_s=0.1) as client:
            assert await client.kind() == "timeout"


async def test_a_name_that_is_no_host_is_an_error() -> None:
    async with asking(f"http://{'x' * 70}.invalid/metrics") as client:
        assert await client.kind() == "connect"


async def test_two_questions_at_once_are_a_bug_of_the_caller() -> None:
    async with serving(hang) as server, asking(server.url) as client:
        client.client.ask(client.target)
        with pytest.raises(RuntimeError, match="open"):
            client.client.ask(client.target)


async def test_a_closed_client_drops_what_it_had_asked() -> None:
    async with serving(hang) as server, asking(server.url) as client:
        client.client.ask(client.target)
        client.client.close()
        assert not client.client.busy


@pytest.mark.parametrize(
    "test",
    [
        test_all_pages_come_over_one_connection,
        test_a_page_that_ends_with_the_connection_is_whole,
        test_a_connection_that_the_server_closed_while_idle_is_made_anew,
        test_a_question_that_crosses_the_end_of_an_idle_connection_is_asked_again,
        test_a_new_connection_that_ends_without_an_answer_is_an_error,
        test_a_server_that_follows_no_question_loses_the_connection_only,
        test_a_page_without_end_is_left_off_at_its_greatest_size,
        test_a_port_where_nobody_listens_is_an_error,
        test_connecting_has_the_same_deadline,
        test_a_name_that_is_no_host_is_an_error,
        test_a_closed_client_drops_what_it_had_asked,
    ],
)
def test_it_is_the_same_on_uvloop(test: Callable[[], Coroutine[None, None, None]]) -> None:
    uvloop.run(test())


class TestTLS:
    async def test_a_trusted_server_is_asked_over_one_connection(self, tmp_path: Path) -> None:
        pem = certificates.write(tmp_path, "127.0.0.1")
        async with (
            serving(say(answer(PAGE)), certificates.server_context(pem)) as server,
            asking(server.url, tls=tls_context(ca_file=str(pem))) as client,
        ):
            assert [await client.ask(), await client.ask()] == [PAGE, PAGE]
        assert len(server.visits) == 1

    async def test_a_server_of_unknown_authority_is_an_error(self, tmp_path: Path) -> None:
        pem = certificates.write(tmp_path, "127.0.0.1")
        async with (
            serving(say(answer(PAGE)), certificates.server_context(pem)) as server,
            asking(server.url, tls=tls_context()) as client,
        ):
            assert await client.kind() == "tls"
        assert server.requests == []

    async def test_a_certificate_for_another_address_is_an_error(self, tmp_path: Path) -> None:
        pem = certificates.write(tmp_path, "10.0.0.1")
        async with (
            serving(say(answer(PAGE)), certificates.server_context(pem)) as server,
            asking(server.url, tls=tls_context(ca_file=str(pem))) as client,
        ):
            assert await client.kind() == "tls"
        assert server.requests == []

    async def test_verification_can_be_switched_off(self, tmp_path: Path) -> None:
        pem = certificates.write(tmp_path, "10.0.0.1")
        async with (
            serving(say(answer(PAGE)), certificates.server_context(pem)) as server,
            asking(server.url, tls=tls_context(insecure_skip_verify=True)) as client,
        ):
            assert await client.ask() == PAGE

    async def test_a_handshake_that_hangs_ends_at_the_deadline(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            url = f"https://127.0.0.1:{listener.getsockname()[1]}/metrics"
            async with asking(url, timeout_s=0.1, tls=tls_context()) as client:
                assert await client.kind() == "timeout"

    async def test_a_server_without_tls_is_an_error(self) -> None:
        async with serving(hang) as server:
            url = server.url.replace("http:", "https:")
            server.behaviour = say(answer(PAGE))
            async with asking(url, timeout_s=0.2, tls=tls_context()) as client:
                assert await client.kind() in {"tls", "timeout"}
