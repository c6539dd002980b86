"""Carries conversations over `grpc.aio`: reads, answers, and says when a stream is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import grpc
import grpc.aio

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["ExternalProcessor"].full_name

Context = grpc.aio.ServicerContext[pb.ProcessingRequest, pb.ProcessingResponse]


class Conversation(Protocol):
    """One stream, whatever carries it."""

    def receive(self, message: pb.ProcessingRequest) -> Sequence[pb.ProcessingResponse]:
        """Answer one message. Never raises: an error is answered too."""
        ...

    @property
    def finished(self) -> bool:
        """Whether an immediate response was given, after which nothing may follow."""
        ...

    def close(self) -> None:
        """Release what the stream holds; called once, however the stream ended."""
        ...


class ExternalProcessor:
    """The ext_proc service: one new conversation for each stream.

    A stream is never ended well before its peer ended it, unless the conversation has finished:
    Envoy takes such an end for leave to go on, and follows a destination that the client names.
    """

    def __init__(self, start: Callable[[], Conversation]) -> None:
        self._start = start
        self._inflight = 0

    @property
    def inflight(self) -> int:
        """How many streams are open."""
        return self._inflight

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on `server`, which must not have been started."""
        process = grpc.stream_stream_rpc_method_handler(
            self.process,
            request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=pb.ProcessingResponse.SerializeToString,
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"Process": process})
        server.add_generic_rpc_handlers([handler])

    async def process(self, _: AsyncIterator[pb.ProcessingRequest], context: Context) -> None:
        """Hold one conversation.

        An exception here, a cancellation included, is left to gRPC: it ends the stream with an
        error, which Envoy answers with a 500.
        """
        with self._conversation() as conversation:
            while not conversation.finished and await _take_turn(conversation, context):
                pass

    @contextmanager
    def _conversation(self) -> Iterator[Conversation]:
        conversation = self._start()
        self._inflight += 1
        try:
            yield conversation
        finally:
            self._inflight -= 1
            conversation.close()


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
