"""What a stream costs the server that carries it, by transport.

    python -m benchmarks.micro.transport [--streams 2000] [--rounds 5] [--transports grpcio,native]

Each transport serves in a process of its own, on uvloop; the conversations only acknowledge, so
that the figure is the transport's and protobuf's. The client sends what Envoy sends for a request
in duplex mode, as Envoy does: one HEADERS, a DATA for each message, one RST_STREAM. Its bytes are
made beforehand. Rounds alternate between the transports. CPU time of the server's process, all
threads, for one stream. `native-plain` is the native one without its allocator settings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator, Sequence
from importlib import import_module
from struct import Struct

import msgspec
import uvloop

from benchmarks.conditions import conditions, spread
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.http2 import frames, hpack
from epp.http2.frames import FrameType
from epp.server.listen import Listen, ListenSettings, Services
from epp.server.processor import SERVICE, ExternalProcessor, InMessages, Later

_PREFIX = Struct(">BL")
_SETTING = Struct(">HL")
_WINDOW = 2**30


class Row(msgspec.Struct):
    """One kind of stream; CPU in microseconds a stream, by transport."""

    name: str
    request_bytes: int
    chunks: int
    at_once: int
    cpu_us: dict[str, list[float]] = {}


ROWS = (
    ("2.4 KB, 20 chunks", 2_400, 20, 16),
    ("2.4 KB, 200 chunks", 2_400, 200, 16),
    ("350 KB, 20 chunks", 350_000, 20, 4),
    ("2.4 KB, one at a time", 2_400, 20, 1),
)

# --- the server -------------------------------------------------------------------------------


class Acknowledge(InMessages):
    """Answers as the picker does in duplex mode, without choosing."""

    later: Later | None = None
    waiting = False
    finished = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def receive(self, message: pb.ProcessingRequest) -> Sequence[pb.ProcessingResponse]:
        kind = message.WhichOneof("request")
        if kind == "request_headers":
            return ()
        if kind == "response_headers":
            return (pb.ProcessingResponse(response_headers=pb.HeadersResponse()),)
        if kind == "response_body":
            reply = pb.ProcessingResponse()
            part = reply.response_body.response.body_mutation.streamed_response
            part.body = message.response_body.body
            return (reply,)
        self._parts.append(message.request_body.body)
        if not message.request_body.end_of_stream:
            return ()
        return tuple(self._give_back(b"".join(self._parts)))

    def close(self) -> None:
        """Hold nothing."""

    def _give_back(self, body: bytes) -> Iterator[pb.ProcessingResponse]:
        yield pb.ProcessingResponse(request_headers=pb.HeadersResponse())
        for start in range(0, len(body), 62_000):
            reply = pb.ProcessingResponse()
            part = reply.request_body.response.body_mutation.streamed_response
            part.body = body[start : start + 62_000]
            part.end_of_stream = start + 62_000 >= len(body)
            yield reply


async def serve(transport: str) -> None:
    """Say the port, then CPU and memory for each line that is read."""
    name, _, plain = transport.partition("-")
    listen: Listen = import_module(f"epp.server.{name}.listen").listen
    if name == "native" and not plain:
        import_module("epp.server.native.memory").keep_large_blocks()
    processor = ExternalProcessor(lambda _: Acknowledge())
    listener = await listen(ListenSettings(0, "127.0.0.1"), Services(processor), None)
    print(listener.port, flush=True)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while await reader.readline():
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(used.ru_utime + used.ru_stime, used.ru_maxrss, flush=True)


# --- the client ---------------------------------------------------------------------------------


class Client:
    """Sends prepared streams, and knows by counting bytes when one was answered."""

    def __init__(self, row: Row) -> None:
        self._row = row
        fields = (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", f"/{SERVICE}/Process".encode()),
            (b":authority", b"picker"),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
        )
        self._block = hpack.encode(*fields)
        self._request = [*_requests(row)]
        self._answer = [*_answers(row)]

    async def run(self, port: int, streams: int) -> None:
        """Have so many streams served, so many at once."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        settings = _SETTING.pack(4, _WINDOW)
        writer.write(frames.PREFACE + frames.frame(FrameType.SETTINGS, 0, 0, settings))
        writer.write(frames.window_update(0, _WINDOW))
        answers = Answers(reader, writer)
        async with asyncio.TaskGroup() as group:
            group.create_task(answers.read())
            ids = iter(range(1, 2 * streams, 2))
            workers = [
                group.create_task(self._work(ids, writer, answers))
                for _ in range(self._row.at_once)
            ]
            await asyncio.wait(workers)
            answers.stop()
        writer.close()
        await writer.wait_closed()

    async def _work(self, ids: Iterator[int], writer: StreamWriter, answers: Answers) -> None:
        for stream_id in ids:
            head = frames.frame(FrameType.HEADERS, frames.END_HEADERS, stream_id, self._block)
            writer.write(head + b"".join(_data(stream_id, m) for m in self._request))
            await answers.messages(stream_id, 1 + -(-self._row.request_bytes // 62_000))
            writer.write(b"".join(_data(stream_id, m) for m in self._answer))
            await answers.messages(stream_id, len(self._answer))
            writer.write(frames.reset(stream_id, 2))


class Answers:
    """Reads frames and counts the messages that begin in them."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._left: dict[int, int] = {}
        self._missing: dict[int, int] = {}
        self._whole: dict[int, asyncio.Event] = {}
        self._stopped = False
        self._taken = 0

    def stop(self) -> None:
        self._stopped = True
        self._reader.feed_eof()

    async def messages(self, stream_id: int, count: int) -> None:
        """Wait for so many."""
        self._missing[stream_id] = self._missing.get(stream_id, 0) + count
        event = self._whole.setdefault(stream_id, asyncio.Event())
        event.clear()
        if self._missing[stream_id] > 0:
            await event.wait()

    async def read(self) -> None:
        """Read until it is stopped."""
        buffer = b""
        while data := await self._reader.read(2**20):
            buffer += data
            pos = 0
            while len(buffer) - pos >= 9:
                word, flags, stream_id = frames.HEADER.unpack_from(buffer, pos)
                end = pos + 9 + (word >> 8)
                if end > len(buffer):
                    break
                self._frame(word & 0xFF, flags, stream_id, buffer[pos + 9 : end])
                pos = end
            buffer = buffer[pos:]

    def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == FrameType.SETTINGS and not flags & frames.ACK:
            self._writer.write(frames.frame(FrameType.SETTINGS, frames.ACK, 0))
        if kind == FrameType.PING and not flags & frames.ACK:
            self._writer.write(frames.frame(FrameType.PING, frames.ACK, 0, payload))
        if kind == FrameType.GOAWAY:
            raise ConnectionError(f"the server ends the connection: {payload[8:]!r}")
        if kind != FrameType.DATA:
            return
        self._taken += len(payload)
        if self._taken > _WINDOW // 2:
            self._writer.write(frames.window_update(0, self._taken))
            self._taken = 0
        left, pos = self._left.get(stream_id, 0), 0
        while pos < len(payload):
            if left == 0:
                left = _PREFIX.unpack_from(payload, pos)[1]
                pos += 5
            taken = min(left, len(payload) - pos)
            left -= taken
            pos += taken
            if left == 0:
                self._count(stream_id)
        self._left[stream_id] = left

    def _count(self, stream_id: int) -> None:
        self._missing[stream_id] = self._missing.get(stream_id, 0) - 1
        if self._missing[stream_id] == 0 and stream_id in self._whole:
            self._whole[stream_id].set()


def _data(stream_id: int, message: bytes) -> bytes:
    framed = _PREFIX.pack(0, len(message)) + message
    limit = frames.MAX_FRAME_BYTES
    return b"".join(
        frames.frame(FrameType.DATA, 0, stream_id, framed[start : start + limit])
        for start in range(0, len(framed), limit)
    )


def _requests(row: Row) -> Iterator[bytes]:
    headers = pb.ProcessingRequest(request_headers=pb.HttpHeaders())
    for key, value in (
        (":authority", "models.example.com"),
        (":path", "/v1/chat/completions"),
        (":method", "POST"),
        ("content-type", "application/json"),
        ("x-request-id", "6024be0a-0000-4000-8000-000000000000"),
    ):
        headers.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    yield headers.SerializeToString()
    body = b"x" * row.request_bytes
    for start in range(0, len(body), 262_144):
        part = pb.HttpBody(body=body[start : start + 262_144])
        yield pb.ProcessingRequest(request_body=part).SerializeToString()
    yield pb.ProcessingRequest(request_body=pb.HttpBody(end_of_stream=True)).SerializeToString()


def _answers(row: Row) -> Iterator[bytes]:
    yield pb.ProcessingRequest(response_headers=pb.HttpHeaders()).SerializeToString()
    chunk = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
    for n in range(row.chunks):
        part = pb.HttpBody(body=chunk, end_of_stream=n == row.chunks - 1)
        yield pb.ProcessingRequest(response_body=part).SerializeToString()


class Server:
    """A transport in a process of its own."""

    def __init__(self, transport: str) -> None:
        command = [sys.executable, "-m", "benchmarks.micro.transport", "--serve", transport]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def used(self) -> tuple[float, float]:
        """Return its CPU seconds and its highest RSS in MB."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        cpu, memory = self._process.stdout.readline().split()
        return float(cpu), int(memory) / 1024

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transports", default="grpcio,native")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", default="")
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve))
        return
    rows = measure(options.transports.split(","), options.streams, options.rounds)
    if options.json:
        print(json.dumps([msgspec.to_builtins(row) for row in rows], indent=1))
    else:
        show(rows)


def measure(transports: Sequence[str], streams: int, rounds: int) -> list[Row]:
    """Run every row on every transport, in turns."""
    rows = [Row(*row) for row in ROWS]
    servers = {name: Server(name) for name in transports}
    for n in range(rounds + 1):  # the first warms up
        for row in rows:
            count = max(row.at_once, streams * 20 // (20 + row.chunks + row.request_bytes // 9_000))
            for name, server in servers.items():
                before = server.used()[0]
                uvloop.run(Client(row).run(server.port, count))
                spent = (server.used()[0] - before) * 1e6 / count
                if n:
                    row.cpu_us.setdefault(name, []).append(spent)
    for name, server in servers.items():
        print(f"{name}: {server.used()[1]:.0f} MB at most", file=sys.stderr)
        server.close()
    return rows


def show(rows: Sequence[Row]) -> None:
    """Print a table: median, lowest and highest."""
    for name, value in conditions(
        "benchmarks.micro.transport", "grpcio", "protobuf", "uvloop"
    ).items():
        print(f"{name}: {value}")
    names = list(rows[0].cpu_us)
    print("\nCPU of the server for one stream, microseconds")
    print(f"{'':24}" + "".join(f"{name:>28}" for name in names) + f"{'ratio':>8}")
    for row in rows:
        cells = "".join(f"{spread(row.cpu_us[name]):>28}" for name in names)
        first, last = min(row.cpu_us[names[0]]), min(row.cpu_us[names[-1]])
        print(f"{row.name:24}{cells}{last / first:8.3f}")


if __name__ == "__main__":
    main()
