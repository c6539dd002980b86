"""Whatever bytes come, the core ends the connection properly or goes on.

`check` is what a fuzzer calls, with bytes that it makes up. A conversation that is almost right
gets further than noise, so there is also a way to draw one by lot, and to spoil it.
"""

from __future__ import annotations

import random

from epp.http2 import frames, hpack
from epp.http2.events import Ended, Message, Opened
from epp.http2.frame_effects import State
from epp.http2.frames import FrameType
from tests.http2.peer import CALL, HELLO, Server, call, credit, data, frame, framed, reset, settings

_HALF = 2


def check(data: bytes) -> None:
    """Say `data` to a server that answers, in two reads; AssertionError if it misbehaves."""
    server = Server()
    cut = data[0] * len(data) // 256 if data else 0
    opened: set[int] = set()
    for part in (data[:cut], data[cut:]):
        for event in server.hear(part):
            if isinstance(event, Opened):
                assert event.stream_id not in opened
                opened.add(event.stream_id)
            assert event.stream_id in opened
            if isinstance(event, Message):
                server.core.send(event.stream_id, event.data * _HALF)
            elif isinstance(event, Ended):
                server.core.end(event.stream_id)
        server.listen()
    assert set(server.core.streams) <= opened
    closed = server.core.state is State.CLOSED
    assert closed == (server.core.failure is not None)
    assert server.core.out.queued == sum(s.queued for s in server.core.streams.values())
    server.core.abandon()
    capacity = server.capacity
    assert (capacity.streams.used, capacity.assembly.used, capacity.unheard.used) == (0, 0, 0)
    assert server.core.out.queued == 0


def conversation(rng: random.Random) -> bytes:
    """Draw frames by lot, as a peer might send them."""
    return HELLO + b"".join(_frame(rng) for _ in range(rng.randint(1, 30)))


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """Change some bytes, leave some out, or say some twice."""
    whole = bytearray(data)
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(whole) + 1)
        match rng.randrange(4):
            case 0 if at < len(whole):
                whole[at] = rng.randrange(256)
            case 1:
                del whole[at : at + rng.randint(1, 12)]
            case 2:
                whole[at:at] = whole[at : at + rng.randint(1, 40)]
            case _:
                whole[at:at] = rng.randbytes(rng.randint(1, 12))
    return bytes(whole)


def _proper(rng: random.Random, stream_id: int) -> bytes:
    """Draw a frame that breaks nothing where its stream is open."""
    message = framed(rng.randbytes(rng.choice((0, 5, 300, 9000))))
    part = message[: rng.randrange(len(message) + 1)]
    return rng.choice(
        (
            call(stream_id, end=rng.random() < 0.1),
            data(stream_id, message),
            data(stream_id, part, padding=rng.choice((None, 0, 9))),
            data(stream_id, b"", end=True),
            credit(rng.choice((0, stream_id)), rng.choice((1, 1000, 100_000))),
            settings((4, rng.choice((0, 1, 1000, 100_000)))),
            reset(stream_id),
            frame(FrameType.PING, rng.choice((0, 1)), 0, b"draining"),
        )
    )


def _frame(rng: random.Random) -> bytes:
    if rng.random() < 0.8:
        return _proper(rng, rng.choice((1, 3, 5, 7)))
    kind = rng.choice(list(FrameType))
    stream_id = rng.choice((1, 1, 3, 5, 7, 0, 2))
    flags = rng.choice((0, 1, 4, 5, 8, 0x20, 0x2D))
    match kind:
        case FrameType.HEADERS | FrameType.CONTINUATION:
            block = hpack.encode(*CALL)
            payload = rng.choice((block, block[: rng.randrange(len(block))], b"\x40\x01a\x01b\xbe"))
            flags |= rng.choice((0, frames.END_HEADERS))
        case FrameType.DATA:
            whole = framed(rng.randbytes(rng.choice((0, 5, 300))))
            payload = rng.choice((whole, whole * 2, whole[: rng.randrange(len(whole) + 1)]))
        case FrameType.SETTINGS:
            return settings((rng.randrange(8), rng.choice((0, 1, 100, 2**20, 2**31))))
        case FrameType.WINDOW_UPDATE:
            payload = rng.choice((0, 1, 1000, 2**31 - 1)).to_bytes(4, "big")
        case _:
            payload = rng.randbytes(rng.choice((0, 4, 5, 8, 8)))
    return frame(kind, flags, stream_id, payload)
