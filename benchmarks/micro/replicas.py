"""Servers of one metrics page, as cheap as they can be: the picker's share is to be measured.

Each process serves many ports of 127.0.0.1 with the same precomputed answer, and leaves HTTP to
whoever asks: a read that ends in an empty line is a request.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, cast

import uvloop


class _Replica(asyncio.Protocol):
    """One connection; `asked` counts the requests of its port."""

    def __init__(self, answer: bytes, asked: list[int], index: int) -> None:
        self._answer = answer
        self._asked = asked
        self._index = index
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None and data.endswith(b"\r\n\r\n"):
            self._asked[self._index] += 1
            self._transport.write(self._answer)


def _answer(page: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nserver: uvicorn\r\n"
        f"content-length: {len(page)}\r\ncontent-type: text/plain; version=0.0.4\r\n\r\n"
    )
    return head.encode() + page


async def _serve(page: bytes, count: int, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    answer, asked = _answer(page), [0] * count

    def protocol(index: int) -> Any:
        return lambda: _Replica(answer, asked, index)

    servers = [await loop.create_server(protocol(i), "127.0.0.1", 0) for i in range(count)]
    pipe.send([_port(server.sockets[0]) for server in servers])
    done = asyncio.Event()

    def tell() -> None:
        if pipe.recv() == "stop":
            done.set()
        else:
            pipe.send((list(asked), time.process_time()))

    loop.add_reader(pipe.fileno(), tell)
    await done.wait()


def _run(page: bytes, count: int, pipe: Connection) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    try:
        uvloop.run(_serve(page, count, pipe))
    except (EOFError, KeyboardInterrupt):  # the benchmark is gone
        return


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


class Replicas:
    """`count` ports in one other process."""

    def __init__(self, ports: list[int], pipe: Connection) -> None:
        self.ports = ports
        self._pipe = pipe

    def asked(self) -> tuple[list[int], float]:
        """Return how often each port was asked, and the seconds of CPU that it took."""
        self._pipe.send("asked")
        return cast("tuple[list[int], float]", self._pipe.recv())


@contextmanager
def serve(page: bytes, count: int) -> Iterator[Replicas]:
    """Serve `page` on `count` ports while the context lasts."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(page, count, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Replicas(ours.recv(), ours)
        ours.send("stop")
    finally:
        process.join(5)
        if process.is_alive():
            process.terminate()
            process.join(5)
