from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from epp.server.health import Health
from epp.server.listen import Services
from tests.server.loopback import Serving, channel_to

READINESS = [
    "",
    "readiness",
    "inference-extension",
    "envoy.service.ext_proc.v3.ExternalProcessor",
]
SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def health() -> Health:
    return Health()


@pytest.fixture
async def channel(serving: Serving, health: Health) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(Services(health=health)) as listener, channel_to(listener) as channel:
        yield channel


async def check(channel: grpc.aio.Channel, name: str) -> int:
    call: grpc.aio.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse]
    call = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    return (await call(HealthCheckRequest(service=name))).status


Watch = grpc.aio.UnaryStreamCall[HealthCheckRequest, HealthCheckResponse]


def watch(channel: grpc.aio.Channel, name: str) -> Watch:
    call: grpc.aio.UnaryStreamMultiCallable[HealthCheckRequest, HealthCheckResponse]
    call = channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )
    return call(HealthCheckRequest(service=name))


async def next_status(stream: Watch) -> int:
    response = await stream.read()
    assert isinstance(response, HealthCheckResponse)
    return response.status


@pytest.mark.parametrize("name", READINESS)
async def test_a_check_follows_readiness_by_each_of_its_names(
    health: Health, channel: grpc.aio.Channel, name: str
) -> None:
    assert await check(channel, name) == NOT_SERVING

    health.set_ready(True)
    assert await check(channel, name) == SERVING

    health.set_ready(False)
    assert await check(channel, name) == NOT_SERVING


@pytest.mark.parametrize("name", READINESS)
async def test_a_watch_is_told_of_each_change_by_each_name(
    health: Health, channel: grpc.aio.Channel, name: str
) -> None:
    stream = watch(channel, name)

    assert await next_status(stream) == NOT_SERVING
    health.set_ready(True)
    assert await next_status(stream) == SERVING
    health.set_ready(False)
    assert await next_status(stream) == NOT_SERVING
    stream.cancel()


@pytest.mark.parametrize("ready", [True, False])
async def test_liveness_does_not_depend_on_readiness(
    health: Health, channel: grpc.aio.Channel, ready: bool
) -> None:
    health.set_ready(ready)

    assert await check(channel, "liveness") == SERVING
    stream = watch(channel, "liveness")
    assert await next_status(stream) == SERVING
    stream.cancel()


async def test_draining_is_for_good_and_leaves_liveness(
    health: Health, channel: grpc.aio.Channel
) -> None:
    health.set_ready(True)
    health.drain()
    health.set_ready(True)

    assert [await check(channel, name) for name in READINESS] == [NOT_SERVING] * 4
    assert await check(channel, "liveness") == SERVING


async def test_an_unknown_name_is_not_found_by_a_check(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await check(channel, "unknown")

    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_unknown_name_is_unknown_to_a_watch(channel: grpc.aio.Channel) -> None:
    stream = watch(channel, "unknown")

    assert await next_status(stream) == HealthCheckResponse.SERVICE_UNKNOWN
    stream.cancel()
