"""What a stream holds while its answer is on its way, which takes minutes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Sequence

import pytest

from epp.exchange.modes import BodyMode
from epp.http2.status import Status
from epp.pool.load import Load
from epp.server.conversation import Conversation
from epp.server.native.call import Call
from epp.server.native.process import Process
from epp.server.processor import ExternalProcessor
from tests.server.envoy import (
    BUFFERED,
    DUPLEX,
    destination,
    request_body,
    request_headers,
    response_body,
    response_headers,
)
from tests.server.picker import HEADER, Picker, pod

PREFIX = (
    HEADER
    + """
plugins:
- type: queue-scorer
- type: prefix-cache-scorer
schedulingProfiles:
- name: default
  plugins: [{pluginRef: queue-scorer}, {pluginRef: prefix-cache-scorer}]
"""
)
PROMPT = {"model": "m", "prompt": "All work and no play makes Jack a dull boy. " * 9000}
STREAMS = 5


def placed(picker: Picker, mode: BodyMode) -> Conversation:
    """Open a stream, and have its request sent on; every server's metrics are read anew."""
    picker.clock.now += 1
    for endpoint in picker.store.snapshot().endpoints:
        picker.store.report(endpoint, Load(picker.clock.now, waiting=0))
    stream = picker.stream()
    headers = stream.receive(request_headers(mode=mode))
    headers += stream.receive(request_body(PROMPT))
    assert any(destination(reply) for reply in headers[:2])
    return stream


def traced_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_neither_the_body_nor_the_prompt_nor_the_view_of_the_pool_is_held(mode: BodyMode) -> None:
    picker = Picker(*(pod(f"10.0.0.{n}:8000") for n in range(100)), config=PREFIX)
    tracemalloc.start(1)
    try:
        for _ in range(picker.decisions.capacity):  # the last ones are kept, to be looked at
            placed(picker, mode).close()
        before = traced_bytes()
        held = [placed(picker, mode) for _ in range(STREAMS)]
        assert (traced_bytes() - before) / STREAMS < 10_000
    finally:
        tracemalloc.stop()
    for stream in held:
        stream.close()


class Sent:
    """Carries calls, and keeps what they send."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def send(self, _: Call, messages: Sequence[bytes]) -> None:
        self.messages += messages

    def end(self, _: Call, status: Status, __: str) -> None:
        pytest.fail(f"a call that its peer resets was ended with {status}")

    def flush(self) -> None: ...


def serve(picker: Picker, mode: BodyMode) -> list[bytes]:
    """Hold a whole conversation, which its peer then resets, as Envoy does."""
    carrier = Sent()
    call = Call(carrier, 1, "")
    handler = Process(ExternalProcessor(lambda _: picker.stream()), call)
    call.handler = handler
    for message in (
        request_headers(mode=mode),
        request_body(PROMPT),
        response_headers(),
        response_body(b'data: {"choices": [{"delta": {"content": "word"}}]}\n\n', end=True),
    ):
        call.send_all(handler.message(message.SerializeToString()))
    call.handler = None
    handler.closed()
    return carrier.messages


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_a_request_leaves_nothing_for_the_garbage_collector(mode: BodyMode) -> None:
    picker = Picker(pod("10.0.0.1:8000"), config=PREFIX)
    assert len(serve(picker, mode)) >= 4
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            serve(picker, mode)
        assert gc.collect() == 0
    finally:
        gc.enable()
