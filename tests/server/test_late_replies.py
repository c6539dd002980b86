"""Replies that no message has brought about, over both transports."""

from __future__ import annotations

import asyncio

import grpc

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.listen import Services
from epp.server.processor import ExternalProcessor
from tests.server.loopback import (
    END,
    EchoConversation,
    Process,
    Serving,
    channel_to,
    chunk,
    echoed,
    process_on,
)


class Patient(EchoConversation):
    """Owes a reply for `wait`; `settle` gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self.asked = asyncio.Event()

    def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        if message.request_body.body != b"wait":
            return super().receive(message)
        self.waiting = True
        self.asked.set()
        return []

    def settle(self, *bodies: bytes, refused: bool = False) -> None:
        self.waiting = False
        self.finished = refused
        assert self.later is not None
        immediate = pb.ImmediateResponse(details="full")
        self.later(
            [pb.ProcessingResponse(immediate_response=immediate)]
            if refused
            else [echoed(body) for body in bodies]
        )


class Patients:
    def __init__(self) -> None:
        self.all: list[Patient] = []
        self.services = Services(ExternalProcessor(self._start))

    def _start(self, _: str) -> Patient:
        self.all.append(Patient())
        return self.all[-1]


async def waiting(channel: grpc.aio.Channel, patients: Patients) -> tuple[Process, Patient]:
    stream = process_on(channel)
    await stream.write(chunk(b"wait"))
    async with asyncio.timeout(5):
        while not patients.all:
            await asyncio.sleep(0.005)
        patient = patients.all[-1]
        await patient.asked.wait()
    return stream, patient


async def test_a_late_reply_comes_without_another_message(serving: Serving) -> None:
    patients = Patients()
    async with serving(patients.services) as listener, channel_to(listener) as channel:
        stream, patient = await waiting(channel, patients)
        patient.settle(b"a", b"b")
        assert [await stream.read(), await stream.read()] == [echoed(b"a"), echoed(b"b")]
        await stream.write(chunk(b"next"))
        assert await stream.read() == echoed(b"next")


async def test_a_message_during_the_wait_is_answered(serving: Serving) -> None:
    patients = Patients()
    async with serving(patients.services) as listener, channel_to(listener) as channel:
        stream, patient = await waiting(channel, patients)
        await stream.write(chunk(b"meanwhile"))
        assert await stream.read() == echoed(b"meanwhile")
        patient.settle(b"at last")
        assert await stream.read() == echoed(b"at last")


async def test_a_late_refusal_ends_the_stream_well(serving: Serving) -> None:
    patients = Patients()
    async with serving(patients.services) as listener, channel_to(listener) as channel:
        stream, patient = await waiting(channel, patients)
        patient.settle(refused=True)
        reply = await stream.read()
        assert isinstance(reply, pb.ProcessingResponse)
        assert reply.HasField("immediate_response")
        await stream.done_writing()
        assert await stream.read() is END
        assert await stream.code() is grpc.StatusCode.OK


async def test_a_peer_that_has_ended_gets_the_reply_before_the_end(serving: Serving) -> None:
    patients = Patients()
    async with serving(patients.services) as listener, channel_to(listener) as channel:
        stream, patient = await waiting(channel, patients)
        await stream.done_writing()
        await asyncio.sleep(0.05)
        assert not stream.done(), "an end before the decision lets the client choose"
        patient.settle(b"chosen")
        assert await stream.read() == echoed(b"chosen")
        assert await stream.read() is END
        assert await stream.code() is grpc.StatusCode.OK


async def test_a_peer_that_goes_away_leaves_within_ten_milliseconds(serving: Serving) -> None:
    patients = Patients()
    async with serving(patients.services) as listener, channel_to(listener) as channel:
        stream, patient = await waiting(channel, patients)
        stream.cancel()
        async with asyncio.timeout(1):
            await patient.closed.wait()
        assert patient.closes == 1
