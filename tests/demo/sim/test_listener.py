from __future__ import annotations

import asyncio
import signal

import pytest
from starlette.responses import PlainTextResponse

from epp.demo.sim.listener import Listener, bind

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_a_closed_listener_cuts_its_connections_and_refuses_new_ones() -> None:
    listening = bind("127.0.0.1", 0)
    address = listening.getsockname()
    listener = await Listener.open(PlainTextResponse("hello"), listening)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(REQUEST)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    await listener.close()
    assert (await reader.read()).endswith(b"hello")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    writer.close()


async def test_signals_stay_with_whoever_has_them() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    listener = await Listener.open(PlainTextResponse("hello"), bind("127.0.0.1", 0))
    during = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    await listener.close()
    assert before == during


def test_a_taken_port_is_an_error() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_an_address_of_version_six_can_be_bound() -> None:
    with bind("::1", 0) as listening:
        assert listening.getsockname()[0] == "::1"
