"""Describes the services to clients that come without their .proto files (grpcurl, ghz)."""

from __future__ import annotations

from typing import Any, cast

import grpc.aio
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import Default, DescriptorPool
from grpc_reflection.v1alpha import reflection

from epp.server.processor import SERVICE


def add_reflection(server: grpc.aio.Server) -> None:
    """Serve the descriptors of the ext_proc service on `server`."""
    pool = cast("DescriptorPool", _PoolWithMethods(Default()))
    reflection.enable_server_reflection([SERVICE, reflection.SERVICE_NAME], server, pool)


class _PoolWithMethods:
    """A pool that finds the file of a method too, by which ghz asks: the plain one does not."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file
