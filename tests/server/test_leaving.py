"""Clients that give up while their requests wait, over both transports."""

from __future__ import annotations

import asyncio
import time

from epp.exchange.modes import BodyMode
from epp.server.listen import Services
from epp.server.processor import ExternalProcessor
from tests.server.envoy import BUFFERED, request_body, request_headers
from tests.server.loopback import Process, Serving, channel_to, process_on
from tests.server.picker import Picker
from tests.server.test_waiting import LONG, gated

ATTEMPTS = 5  # another process may have the processor
SOON_S = 0.010


async def ask(stream: Process, mode: BodyMode = BUFFERED) -> None:
    await stream.write(request_headers(mode=mode))
    assert await stream.read()
    await stream.write(request_body(LONG))


async def until_waiting(picker: Picker, count: int) -> None:
    assert picker.admission is not None
    async with asyncio.timeout(5):
        while len(picker.admission.room) != count:
            await asyncio.sleep(0)


async def test_who_gives_up_has_left_within_ten_milliseconds(serving: Serving) -> None:
    picker = gated()
    services = Services(ExternalProcessor(lambda _: picker.stream()))
    async with serving(services) as listener, channel_to(listener) as channel:
        first = process_on(channel)
        await ask(first)
        assert await first.read()
        took_s: list[float] = []
        while not took_s or (min(took_s) > SOON_S and len(took_s) < ATTEMPTS):
            second = process_on(channel)
            await ask(second)
            await until_waiting(picker, 1)
            began = time.monotonic()
            second.cancel()
            await until_waiting(picker, 0)
            took_s.append(time.monotonic() - began)
        assert min(took_s) <= SOON_S
        assert picker.waits.requests["EvictedContextCancelled", "", 0] == len(took_s)
        first.cancel()
