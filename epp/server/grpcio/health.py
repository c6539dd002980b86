"""Answers gRPC health checks over `grpc.aio`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer, add_HealthServicer_to_server

from epp.server.health import Health

STATUS = {
    True: HealthCheckResponse.SERVING,
    False: HealthCheckResponse.NOT_SERVING,
    None: HealthCheckResponse.SERVICE_UNKNOWN,
}

Context = grpc.aio.ServicerContext[Any, Any]


def add_health(health: Health, server: grpc.aio.Server) -> None:
    """Serve it on `server`, which must not have been started."""
    add_HealthServicer_to_server(_Servicer(health), server)


class _Servicer(HealthServicer):
    def __init__(self, health: Health) -> None:
        self._health = health

    async def Check(  # noqa: N802  gRPC's name
        self, request: HealthCheckRequest, context: Context
    ) -> HealthCheckResponse:
        serving = self._health.serving(request.service)
        if serving is None:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return HealthCheckResponse(status=STATUS[serving])

    async def Watch(  # noqa: N802  the same
        self, request: HealthCheckRequest, _: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        changes: asyncio.Queue[bool | None] = asyncio.Queue()
        changes.put_nowait(self._health.serving(request.service))
        end = self._health.watch(request.service, changes.put_nowait)
        try:
            while True:
                yield HealthCheckResponse(status=STATUS[await changes.get()])
        finally:
            end()
