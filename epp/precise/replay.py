"""Asking a model server for the events that were missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq
import zmq.asyncio

_END = b"\xff" * 8
_PROGRESS_S = 5.0  # a publisher looks for requests ten times a second
_ALL_S = 60.0


async def replay(
    context: zmq.asyncio.Context,
    url: str,
    start: int,
    take: Callable[[bytes, bytes], None],
) -> bool:
    """Have every message from number `start` on sent again, as far as it is kept.

    `take` gets number and payload of each. Returns whether the end was reached.
    """
    with context.socket(zmq.DEALER) as dealer:
        dealer.linger = 0
        dealer.ipv6 = True
        dealer.maxmsgsize = MAX_MESSAGE_BYTES
        dealer.connect(url)
        await dealer.send_multipart([b"", start.to_bytes(8, "big")])
        try:
            async with asyncio.timeout(_ALL_S):
                return await _receive(dealer, take)
        except TimeoutError:
            return False


MAX_MESSAGE_BYTES = 64 * 1024 * 1024


async def _receive(dealer: zmq.asyncio.Socket, take: Callable[[bytes, bytes], None]) -> bool:
    while True:
        async with asyncio.timeout(_PROGRESS_S):
            frames = await dealer.recv_multipart()
        if len(frames) < 2:
            return False
        number, payload = frames[-2:]
        if number == _END:
            return True
        take(number, payload)
        await asyncio.sleep(0)  # what has arrived already is returned without a turn of the loop
