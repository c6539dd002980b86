"""A real gRPC server on a free port, a client to it, and conversations that can be questioned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal, Protocol

import grpc
import grpc.aio

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.app.transports import listen_with
from epp.server.listen import Listener, ListenSettings, Services
from epp.server.processor import SERVICE, ExternalProcessor, InMessages, Later
from epp.server.tls import Certificates

ANY_PORT = ListenSettings(port=0)
END = grpc.aio.EOF

Process = grpc.aio.StreamStreamCall[pb.ProcessingRequest, pb.ProcessingResponse]


class EchoConversation(InMessages):
    """Gives each body chunk back; refuses a body `stop`, breaks on `bug`."""

    later: Later | None = None
    waiting = False

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.closes = 0
        self.closed = asyncio.Event()
        self.finished = False

    def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        body = message.request_body.body
        self.received.append(body)
        if body == b"bug":
            raise LookupError("bug")
        if body == b"stop":
            self.finished = True
            return [pb.ProcessingResponse(immediate_response=pb.ImmediateResponse(details="stop"))]
        return [echoed(body), echoed(b"again")] if body == b"twice" else [echoed(body)]

    def close(self) -> None:
        self.closes += 1
        self.closed.set()


class Echoes:
    """The service with echoing conversations, all of which are kept."""

    def __init__(self) -> None:
        self.conversations: list[EchoConversation] = []
        self.authorities: list[str] = []
        self.processor = ExternalProcessor(self._start)

    @property
    def only(self) -> EchoConversation:
        (conversation,) = self.conversations
        return conversation

    @property
    def services(self) -> Services:
        return Services(self.processor)

    def _start(self, authority: str) -> EchoConversation:
        self.authorities.append(authority)
        self.conversations.append(EchoConversation())
        return self.conversations[-1]


def chunk(body: bytes) -> pb.ProcessingRequest:
    return pb.ProcessingRequest(request_body=pb.HttpBody(body=body))


def echoed(body: bytes) -> pb.ProcessingResponse:
    mutation = pb.BodyMutation(streamed_response=pb.StreamedBodyResponse(body=body))
    common = pb.CommonResponse(body_mutation=mutation)
    return pb.ProcessingResponse(request_body=pb.BodyResponse(response=common))


Transport = Literal["native", "grpcio"]
NOTHING = Services()


class Serving(Protocol):
    """Serves for as long as the block runs."""

    def __call__(
        self,
        services: Services = NOTHING,
        *,
        settings: ListenSettings = ANY_PORT,
        certificates: Certificates | None = None,
    ) -> AbstractAsyncContextManager[Listener]: ...


def serving_over(transport: Transport) -> Serving:
    @asynccontextmanager
    async def serving(
        services: Services = NOTHING,
        *,
        settings: ListenSettings = ANY_PORT,
        certificates: Certificates | None = None,
    ) -> AsyncIterator[Listener]:
        listener = await listen_with(transport)(settings, services, certificates)
        try:
            yield listener
        finally:
            await listener.drain(0)

    return serving


def channel_to(listener: Listener) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{listener.port}")


async def open_stream(channel: grpc.aio.Channel, first: bytes = b"hello") -> Process:
    """Begin a stream and wait until its first message was answered."""
    stream = process_on(channel)
    await stream.write(chunk(first))
    assert await stream.read() == echoed(first)
    return stream


def process_on(channel: grpc.aio.Channel) -> Process:
    process: grpc.aio.StreamStreamMultiCallable[pb.ProcessingRequest, pb.ProcessingResponse]
    process = channel.stream_stream(
        f"/{SERVICE}/Process",
        request_serializer=pb.ProcessingRequest.SerializeToString,
        response_deserializer=pb.ProcessingResponse.FromString,
    )
    return process()
