from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator

import grpc
import grpc.aio
import pytest

from epp.app.transports import listen_with
from epp.server.errors import ListenError
from epp.server.listen import ListenSettings, Services
from tests.server.loopback import (
    END,
    Echoes,
    Serving,
    Transport,
    channel_to,
    chunk,
    echoed,
    open_stream,
    process_on,
)


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        return probe.connect_ex(("::1", 9)) != errno.EADDRNOTAVAIL


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


async def test_port_0_gives_back_the_port_that_was_found(serving: Serving) -> None:
    async with serving(Echoes().services) as listener:
        assert listener.port > 0
        assert repr(listener).endswith(f"Listener on port {listener.port}>")


@pytest.mark.skipif(
    not has_ipv6(), reason="with IPv6 switched off in the kernel there is no second family to serve"
)
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
async def test_both_address_families_are_served_by_default(serving: Serving, address: str) -> None:
    async with (
        serving(Echoes().services) as listener,
        grpc.aio.insecure_channel(f"{address}:{listener.port}") as channel,
    ):
        await open_stream(channel)


@pytest.mark.parametrize(("host", "shown"), [("::", "[::]"), ("127.0.0.1", "127.0.0.1")])
async def test_a_taken_port_is_an_error_that_names_address_and_remedy(
    transport: Transport, taken_port: int, host: str, shown: str
) -> None:
    settings = ListenSettings(port=taken_port, host=host)
    with pytest.raises(ListenError) as raised:
        await listen_with(transport)(settings, Services(), None)

    assert str(raised.value) == (
        f"cannot listen on {shown}:{taken_port}: Address already in use. "
        "Stop what holds it or choose another."
    )


async def test_an_address_of_another_machine_is_an_error_that_says_so(transport: Transport) -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:0: Cannot assign requested address"):
        await listen_with(transport)(ListenSettings(port=0, host="192.0.2.1"), Services(), None)


@pytest.mark.parametrize("shared", [True, False])
async def test_two_servers_share_a_port_only_when_both_are_told_to(
    serving: Serving, transport: Transport, shared: bool
) -> None:
    settings = ListenSettings(port=0, reuse_port=shared)
    async with serving(settings=settings) as first:
        same = ListenSettings(port=first.port, reuse_port=shared)
        if shared:
            async with serving(settings=same) as second:
                assert second.port == first.port
        else:
            with pytest.raises(ListenError):
                await listen_with(transport)(same, Services(), None)


async def test_a_message_up_to_the_limit_is_taken_and_a_larger_one_refused(
    serving: Serving,
) -> None:
    settings = ListenSettings(port=0, max_message_bytes=6_000_000)
    async with (
        serving(Echoes().services, settings=settings) as listener,
        grpc.aio.insecure_channel(
            f"127.0.0.1:{listener.port}", options=[("grpc.max_receive_message_length", -1)]
        ) as channel,
    ):
        await open_stream(channel, b"x" * 5_900_000)

        stream = process_on(channel)
        await stream.write(chunk(b"x" * 6_100_000))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stream.read()

        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_connection_holds_no_more_streams_than_its_limit(serving: Serving) -> None:
    echoes = Echoes()
    settings = ListenSettings(port=0, max_concurrent_streams=2)
    async with (
        serving(echoes.services, settings=settings) as listener,
        channel_to(listener) as channel,
    ):
        first, _ = await open_stream(channel), await open_stream(channel)
        async with asyncio.TaskGroup() as tasks:
            third = tasks.create_task(open_stream(channel))
            for _ in range(20):  # the third is on the same connection: it would be there by now
                await first.write(chunk(b"round trip"))
                assert await first.read() == echoed(b"round trip")
            assert echoes.processor.inflight == 2

            await first.done_writing()
            assert await first.read() is END

        assert third.done()
        assert len(echoes.conversations) == 3


async def test_a_drain_waits_for_a_stream_that_finishes(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)
        async with asyncio.TaskGroup() as tasks:
            drain = tasks.create_task(listener.drain(30))
            await stream.write(chunk(b"while draining"))
            assert await stream.read() == echoed(b"while draining")
            assert not drain.done()

            await stream.done_writing()
            assert await stream.read() is END

        assert await stream.code() is grpc.StatusCode.OK
        assert echoes.only.closes == 1


async def test_a_drain_cuts_off_a_stuck_stream_with_an_error_when_its_time_is_over(
    serving: Serving,
) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)

        async with asyncio.timeout(5):
            await listener.drain(0.1)

        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stream.read()
        assert raised.value.code() is not grpc.StatusCode.OK
        assert echoes.only.closes == 1
        assert echoes.processor.inflight == 0


async def test_nothing_new_is_accepted_once_a_drain_has_begun(serving: Serving) -> None:
    async with serving(Echoes().services) as listener, channel_to(listener) as old:
        stream = await open_stream(old)
        async with asyncio.TaskGroup() as tasks:
            drain = tasks.create_task(listener.drain(30))
            await stream.write(chunk(b"drain has begun"))
            await stream.read()

            async with channel_to(listener) as new:
                late = process_on(new)
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await late.read()
            assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
            assert not drain.done()

            stream.cancel()


async def test_a_drained_port_is_free_again(serving: Serving) -> None:
    async with serving() as listener:
        await listener.drain(0)

        async with serving(settings=ListenSettings(port=listener.port)) as successor:
            assert successor.port == listener.port
