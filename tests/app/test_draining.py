"""The end of a picker in which requests wait."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import grpc.aio
import httpx

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from tests.e2e.picker import serving
from tests.server.envoy import BUFFERED, destination, request_body, request_headers
from tests.server.loopback import Process, process_on

WAITING = 500
# A server so slow, by the picker's reckoning, that one prompt is all that it can have before it.
CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
- type: work-ledger-producer
  parameters: {secondsPerToken: 1}
flowControl: {}
"""
PROMPT = {"model": "m", "prompt": "word " * 100}


async def ask(channel: grpc.aio.Channel) -> Process:
    stream = process_on(channel)
    await stream.write(request_headers(mode=BUFFERED))
    assert await stream.read()
    await stream.write(request_body(PROMPT))
    return stream


async def test_all_who_wait_are_answered_after_sigterm(tmp_path: Path) -> None:
    config = tmp_path / "epp.yaml"
    config.write_text(CONFIG)
    flags = ["--endpoint=http://127.0.0.1:9", "--insecure", "--transport=native"]
    flags += [f"--config-file={config}", "--drain-timeout=60"]
    async with (
        serving(flags, tmp_path) as picker,
        grpc.aio.insecure_channel(f"127.0.0.1:{picker.port}") as channel,
    ):
        first = await ask(channel)
        await read(first)
        streams = [await ask(channel) for _ in range(WAITING)]
        await waiting(picker.metrics_port)

        picker.terminate()
        await draining(picker.log_path)
        first.cancel()

        for stream in streams:  # each ends, and so the next has its turn
            assert destination(await read(stream)) == "127.0.0.1:9"
            await stream.done_writing()
        assert await picker.ended() == 0


async def read(stream: Process) -> pb.ProcessingResponse:
    async with asyncio.timeout(20):
        reply = await stream.read()
    assert isinstance(reply, pb.ProcessingResponse)
    return reply


async def waiting(metrics_port: int) -> None:
    shown = re.compile(rf"llm_d_epp_flow_control_queue_size{{.*}} {WAITING}$", re.MULTILINE)
    async with asyncio.timeout(10), httpx.AsyncClient() as client:
        while not shown.search((await client.get(f"http://127.0.0.1:{metrics_port}/metrics")).text):
            await asyncio.sleep(0.02)


async def draining(log: Path) -> None:
    async with asyncio.timeout(10):
        while "draining" not in await asyncio.to_thread(log.read_text):
            await asyncio.sleep(0.02)
