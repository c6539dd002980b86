from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import grpc.aio
import httpx
import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.admin.listen import AdminError
from epp.app.process import App
from epp.config.error import ConfigError
from epp.config.settings import Settings, SettingsError
from epp.discovery.error import DiscoveryError
from epp.exchange.modes import BodyMode
from epp.server.errors import CertificateError, ListenError
from tests.server.envoy import destination, request_body, request_headers

LOCAL = Settings(
    endpoints=("http://127.0.0.1:9",),
    host="127.0.0.1",
    grpc_port=0,
    grpc_health_port=0,
    metrics_port=0,
    insecure=True,
)


def but(**changes: Any) -> Settings:
    """Return the settings of these tests, changed."""
    return msgspec.structs.replace(LOCAL, **changes)


Transport = Literal["native", "grpcio"]


@pytest.fixture(params=["native", "grpcio"])
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@asynccontextmanager
async def running(settings: Settings = LOCAL) -> AsyncIterator[App]:
    """Run a picker for as long as the block runs."""
    app, stop, ready = App(settings), asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(app.run(stop, ready.set))
        waiting = group.create_task(ready.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            yield app
        finally:
            stop.set()


async def process(channel: grpc.aio.Channel) -> Any:
    """Open an ext_proc stream."""
    return channel.stream_stream(
        "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
        request_serializer=pb.ProcessingRequest.SerializeToString,
        response_deserializer=pb.ProcessingResponse.FromString,
    )()


async def test_a_request_is_answered_explained_and_counted(transport: Transport) -> None:
    async with (
        running(but(transport=transport)) as app,
        grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel,
    ):
        call = await process(channel)
        await call.write(request_headers())
        await call.write(request_body({"model": "m", "prompt": "hi"}))
        assert destination(await call.read()) == "127.0.0.1:9"
        assert app.pool.in_flight.by_address() == {"127.0.0.1:9": 1}
        await call.done_writing()
        while await call.read() is not grpc.aio.EOF:
            pass
        admin = f"http://127.0.0.1:{app.metrics_port}"
        async with httpx.AsyncClient(trust_env=False) as client:
            [decided] = (await client.get(f"{admin}/decisions")).json()
            page = (await client.get(f"{admin}/metrics")).text
        assert "127.0.0.1:9" in decided["sentence"]
        assert 'llm_d_epp_scheduler_attempts_total{status="success"' in page, page
        assert app.pool.in_flight.by_address() == {}


async def test_a_proxy_that_does_not_say_its_mode_is_taken_to_have_the_configured_one(
    transport: Transport,
) -> None:
    buffered = but(transport=transport, body_mode=BodyMode.BUFFERED)
    async with (
        running(buffered) as app,
        grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel,
    ):
        call = await process(channel)
        await call.write(request_headers(mode=None))
        assert destination(await call.read()) is None
        await call.write(request_body({"model": "m", "prompt": "hi"}))
        assert destination(await call.read()) == "127.0.0.1:9"
        await call.done_writing()


async def test_readiness_follows_discovery_and_the_drain(transport: Transport) -> None:
    async with running(but(transport=transport)) as app:
        address = f"127.0.0.1:{app.grpc_health_port}"
        async with grpc.aio.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            check = health_pb2.HealthCheckRequest(service="readiness")
            answer = await health.Check(check)  # type: ignore[attr-defined]  # its stub lacks it
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_open_stream_is_let_finish_when_the_picker_stops(transport: Transport) -> None:
    app, stop, ready = App(but(transport=transport)), asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(app.run(stop, ready.set))
        await ready.wait()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel:
            call = await process(channel)
            await call.write(request_headers())
            await asyncio.sleep(0.05)
            stop.set()
            await asyncio.sleep(0.05)
            await call.write(request_body({"model": "m", "prompt": "hi"}))
            assert destination(await call.read()) == "127.0.0.1:9"
            await call.done_writing()


async def test_a_unix_socket_takes_the_place_of_the_port(
    transport: Transport, tmp_path: Path
) -> None:
    path = tmp_path / "epp.sock"
    async with (
        running(but(transport=transport, grpc_socket=path)) as app,
        grpc.aio.insecure_channel(f"unix:{path}") as channel,
    ):
        call = await process(channel)
        await call.write(request_headers())
        await call.write(request_body({"model": "m", "prompt": "hi"}))
        assert destination(await call.read()) == "127.0.0.1:9"
        await call.done_writing()
        assert app.grpc_port == 0


@pytest.mark.parametrize("port", ["grpc_port", "grpc_health_port", "metrics_port"])
async def test_a_taken_port_is_a_clear_end(port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises((ListenError, AdminError), match=str(number)):
            await App(but(**{port: number})).run(asyncio.Event())


def test_the_model_servers_must_be_named_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--endpoint http://host:port"):
        App(but(endpoints=()))
    with pytest.raises(SettingsError, match="not both"):
        App(but(endpoints_file=tmp_path / "pool.yaml"))
    with pytest.raises(DiscoveryError, match=r"pool\.yaml"):
        App(but(endpoints=(), endpoints_file=tmp_path / "pool.yaml"))
    with pytest.raises(DiscoveryError, match="path"):
        App(but(endpoints=("http://10.0.0.1:8000/v1",)))


def test_a_broken_configuration_is_a_clear_end(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\nplugin: []\n")
    with pytest.raises(ConfigError, match=r"config\.yaml:3: .*plugins"):
        App(but(config_file=config))


async def test_a_missing_certificate_is_a_clear_end(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"tls\.(key|crt)"):
        await App(but(insecure=False, cert_path=tmp_path)).run(asyncio.Event())


def test_an_idle_interval_that_makes_metrics_stale_is_refused() -> None:
    with pytest.raises(SettingsError, match="--idle-metrics-interval"):
        App(but(idle_metrics_interval_s=1.5))


def test_a_refresh_interval_longer_than_the_idle_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="--refresh-metrics-interval"):
        App(but(refresh_metrics_interval_s=5.0))


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no-token"):
        App(but(metrics_token_file=tmp_path / "no-token"))


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(SettingsError, match="sglang"):
        App(but(engine="vlm"))
