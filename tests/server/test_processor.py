from __future__ import annotations

import asyncio
import sys

import grpc
import grpc.aio
import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.listen import Services
from epp.server.processor import SERVICE, ExternalProcessor
from tests.server.loopback import (
    END,
    EchoConversation,
    Echoes,
    Serving,
    channel_to,
    chunk,
    echoed,
    open_stream,
)


async def test_each_message_is_answered_in_order_until_the_peer_ends_the_stream(
    serving: Serving,
) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)
        await stream.write(chunk(b"twice"))
        await stream.write(chunk(b"last"))
        await stream.done_writing()

        replies = [await stream.read() for _ in range(4)]

        assert replies == [echoed(b"twice"), echoed(b"again"), echoed(b"last"), END]
        assert await stream.code() is grpc.StatusCode.OK
        assert echoes.only.received == [b"hello", b"twice", b"last"]
        assert echoes.only.closes == 1


async def test_a_stream_stays_open_as_long_as_its_peer_keeps_it_open(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)
        another = await open_stream(channel)
        await another.done_writing()
        assert await another.read() is END

        assert not stream.done()
        assert echoes.conversations[0].closes == 0


async def test_an_immediate_response_ends_the_stream_and_what_follows_is_not_read(
    serving: Serving,
) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)
        await stream.write(chunk(b"stop"))

        reply = await stream.read()

        assert isinstance(reply, pb.ProcessingResponse)
        assert reply.immediate_response.details == "stop"
        assert await stream.read() is END
        assert await stream.code() is grpc.StatusCode.OK
        assert echoes.only.received == [b"hello", b"stop"]
        assert echoes.only.closes == 1


async def test_a_cancelled_stream_closes_its_conversation_once(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)

        stream.cancel()
        await asyncio.wait_for(echoes.only.closed.wait(), 5)

    assert echoes.only.closes == 1
    assert echoes.processor.inflight == 0


async def test_a_peer_whose_connection_goes_closes_all_of_its_conversations(
    serving: Serving,
) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener:
        async with channel_to(listener) as channel:
            for _ in range(3):
                await open_stream(channel)
            assert echoes.processor.inflight == 3

        for conversation in echoes.conversations:
            await asyncio.wait_for(conversation.closed.wait(), 5)

        assert [conversation.closes for conversation in echoes.conversations] == [1, 1, 1]
        assert echoes.processor.inflight == 0


async def test_a_bug_ends_its_stream_with_an_error_and_no_other_stream(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        healthy = await open_stream(channel)
        broken = await open_stream(channel)
        await broken.write(chunk(b"bug"))

        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await broken.read()

        assert raised.value.code() is grpc.StatusCode.UNKNOWN
        assert [conversation.closes for conversation in echoes.conversations] == [0, 1]
        await healthy.write(chunk(b"still here"))
        assert await healthy.read() == echoed(b"still here")


async def test_a_message_that_is_not_protobuf_ends_the_stream_with_an_error(
    serving: Serving,
) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        process: grpc.aio.StreamStreamMultiCallable[bytes, bytes]
        process = channel.stream_stream(f"/{SERVICE}/Process")
        stream = process()
        await stream.write(b"\xff\xff\xff")

        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stream.read()

        assert raised.value.code() is not grpc.StatusCode.OK
        assert echoes.only.received == []
        assert echoes.only.closes == 1


async def test_a_waiting_stream_holds_on_to_nothing_of_its_last_turn(serving: Serving) -> None:
    kept: list[object] = []

    class Keeping(EchoConversation):
        def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
            replies = super().receive(message)
            kept.extend([message, *replies])
            return replies

    processor = ExternalProcessor(lambda _: Keeping())
    async with serving(Services(processor)) as listener, channel_to(listener) as channel:
        first = await open_stream(channel)
        await open_stream(channel)  # the first one's turn is over by now
        assert not first.done()
        # the list's reference, and the one by which it is asked
        assert [sys.getrefcount(kept[n]) for n in range(2)] == [2, 2]


async def test_streams_in_flight_are_counted_one_by_one(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        assert echoes.processor.inflight == 0
        first = await open_stream(channel)
        await open_stream(channel)
        assert echoes.processor.inflight == 2

        await first.done_writing()
        assert await first.read() is END

        assert echoes.processor.inflight == 1


async def test_another_method_is_unimplemented(serving: Serving) -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        other: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
        other = channel.unary_unary(f"/{SERVICE}/Other")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await other(b"")

        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_service_has_its_official_name() -> None:
    assert SERVICE == "envoy.service.ext_proc.v3.ExternalProcessor"
