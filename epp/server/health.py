"""Answers gRPC health checks by every name under which an endpoint picker is asked."""

from __future__ import annotations

from typing import Self

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from epp.server.servicer import SERVICE

LIVENESS = "liveness"

# The whole server, the protocol's own name, the name that charts probe, and the service itself.
READINESS = ("", "readiness", "inference-extension", SERVICE)

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """Alive as long as it answers; ready when told so, and never again once it drains."""

    def __init__(self) -> None:
        self._servicer = health.aio.HealthServicer()
        self._draining = False

    @classmethod
    async def create(cls) -> Self:
        """Begin alive and not ready."""
        self = cls()
        await self._servicer.set(LIVENESS, _SERVING)
        await self.set_ready(False)
        return self

    async def set_ready(self, ready: bool) -> None:
        """Tell it to all who ask and all who watch; unless it drains."""
        serving = ready and not self._draining
        for name in READINESS:
            await self._servicer.set(name, _SERVING if serving else _NOT_SERVING)

    async def drain(self) -> None:
        """Be asked for nothing more, and stay alive."""
        self._draining = True
        await self.set_ready(False)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on `server`, which must not have been started.

        A watch has no end of its own, so that a server which drains waits for it in vain: give
        health checks a port of their own, and close that one last and at once.
        """
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
