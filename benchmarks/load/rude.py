"""Peers of a picker that come over TLS, begin streams, and go without a word."""

from __future__ import annotations

import asyncio
import itertools
import ssl

from h2.config import H2Configuration
from h2.connection import H2Connection

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb

PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
CANCEL = 8
STREAMS = 4
_BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"all work and no play " * 100


class Rude:
    """Connects again and again; leaves streams open, or resets them, and often says no farewell."""

    def __init__(self, port: int) -> None:
        self.connections = 0
        self._port = port
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.set_alpn_protocols(["h2"])

    async def run(self, pause_s: float) -> None:
        """Go on until cancelled."""
        for number in itertools.count():
            await self._once(resetting=number % 2 == 0, farewell=number % 3 == 0)
            self.connections += 1
            await asyncio.sleep(pause_s)

    async def _once(self, *, resetting: bool, farewell: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._context)
        core = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        core.initiate_connection()
        for n in range(STREAMS):
            _begin(core, 2 * n + 1)
        writer.write(core.data_to_send())
        await reader.read(65536)  # by now the streams are open
        if resetting:
            for n in range(STREAMS):
                core.reset_stream(2 * n + 1, CANCEL)
        if farewell:
            core.close_connection()
        writer.write(core.data_to_send())
        if farewell:
            await writer.drain()
        writer.transport.abort()


def _begin(core: H2Connection, stream_id: int) -> None:
    fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", PROCESS),
        (":authority", "picker"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    core.send_headers(stream_id, fields)
    core.send_data(stream_id, _framed(_headers()) + _framed(_half_a_body()))


def _headers() -> pb.ProcessingRequest:
    request = pb.ProcessingRequest()
    wanted = {":method": "POST", ":path": "/v1/chat/completions", ":authority": "picker"}
    for key, value in wanted.items():
        request.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    return request


def _half_a_body() -> pb.ProcessingRequest:
    request = pb.ProcessingRequest()
    request.request_body.body = _BODY
    return request


def _framed(message: pb.ProcessingRequest) -> bytes:
    data = message.SerializeToString()
    return b"\0" + len(data).to_bytes(4, "big") + data
