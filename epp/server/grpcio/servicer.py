"""Carries conversations over `grpc.aio`: reads, answers, and says when a stream is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import grpc
import grpc.aio

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.processor import SERVICE, Conversation, ExternalProcessor

Context = grpc.aio.ServicerContext[pb.ProcessingRequest, pb.ProcessingResponse]


def add_processor(processor: ExternalProcessor, server: grpc.aio.Server) -> None:
    """Serve it on `server`, which must not have been started."""
    process = grpc.stream_stream_rpc_method_handler(
        Servicer(processor).process,
        request_deserializer=pb.ProcessingRequest.FromString,
        response_serializer=pb.ProcessingResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(SERVICE, {"Process": process})
    server.add_generic_rpc_handlers([handler])


class LateReplies:
    """Sends replies beside the reading of the next message, which may never come."""

    def __init__(self, group: asyncio.TaskGroup, context: Context) -> None:
        self.sent = asyncio.Event()
        self._group = group
        self._context = context

    def send(self, replies: list[pb.ProcessingResponse]) -> None:
        """Send them in a task."""
        self._group.create_task(self._send(replies))

    async def _send(self, replies: list[pb.ProcessingResponse]) -> None:
        for reply in replies:
            await self._context.write(reply)
        self.sent.set()


class Servicer:
    """A task for each stream. gRPC shows it no `:authority`."""

    def __init__(self, processor: ExternalProcessor) -> None:
        self._processor = processor

    async def process(self, _: AsyncIterator[pb.ProcessingRequest], context: Context) -> None:
        """Hold one conversation.

        An exception here, a cancellation included, is left to gRPC: it ends the stream with an
        error, which Envoy answers with a 500.
        """
        with self._conversation() as conversation:
            async with asyncio.TaskGroup() as group:
                late = LateReplies(group, context)
                conversation.later = late.send
                while not conversation.finished and await _take_turn(conversation, context):
                    pass
                if conversation.waiting:  # the peer has ended, and is owed a reply
                    await late.sent.wait()

    @contextmanager
    def _conversation(self) -> Iterator[Conversation]:
        conversation = self._processor.open()
        try:
            yield conversation
        finally:
            self._processor.close(conversation)


async def _take_turn(conversation: Conversation, context: Context) -> bool:
    """Answer one message; False: the peer sends no more.

    In a frame of its own, for the next message may be minutes away and bodies must not wait for it.
    """
    message = await context.read()
    if message is grpc.aio.EOF:  # type: ignore[comparison-overlap]  # its stub omits it
        return False
    for reply in conversation.receive(message):
        await context.write(reply)
    return True
