"""Describes the services to clients that come without their .proto files (grpcurl, ghz)."""

from __future__ import annotations

import grpc.aio
from grpc_reflection.v1alpha import reflection

from epp.server.servicer import SERVICE


def add_reflection(server: grpc.aio.Server) -> None:
    """Serve the descriptors of the ext_proc service on `server`."""
    reflection.enable_server_reflection([SERVICE, reflection.SERVICE_NAME], server)
