"""A peer of the native transport that writes its frames itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from epp.http2 import frames, hpack
from epp.http2.frames import FrameType
from epp.server.processor import SERVICE
from tests.http2.peer import Said, data, frame, framed, settings, split
from tests.server.loopback import chunk

HELLO = frames.PREFACE + settings((4, 2**30)) + frames.window_update(0, 2**30)
FIELDS = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", f"/{SERVICE}/Process".encode()),
    (b":authority", b"picker"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
)


def process(stream_id: int, *extra: tuple[bytes, bytes]) -> bytes:
    """Open an ext_proc stream."""
    block = hpack.encode(*FIELDS, *extra)
    return frame(FrameType.HEADERS, frames.END_HEADERS, stream_id, block)


def body(stream_id: int, content: bytes) -> bytes:
    """Send a body's chunk on it."""
    whole = framed(chunk(content).SerializeToString())
    size = frames.MAX_FRAME_BYTES
    parts = (whole[n : n + size] for n in range(0, len(whole), size))
    return b"".join(data(stream_id, part) for part in parts)


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.said: list[Said] = []
        self._rest = b""

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)

    async def until(self, kind: FrameType, stream_id: int | None = None, *, flags: int = 0) -> Said:
        """Read on to the next frame of this kind; EOFError if the server ends before."""
        while True:
            while self.said:
                said = self.said.pop(0)
                right = said.kind == kind and stream_id in {None, said.stream_id}
                if right and said.flags & flags == flags:
                    return said
            await self._read()

    async def end(self) -> list[Said]:
        """Read all to the end of the connection."""
        try:
            while True:
                await self._read()
        except EOFError:
            return self.said

    async def _read(self) -> None:
        try:
            head = await self.reader.readexactly(frames.HEADER_BYTES)
            size = int.from_bytes(head[:3], "big")
            self.said += split(head + await self.reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error


@asynccontextmanager
async def connected(port: int, hello: bytes = HELLO) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    raw = Raw(reader, writer)
    raw.say(hello)
    try:
        yield raw
    finally:
        writer.transport.abort()
