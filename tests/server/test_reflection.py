from __future__ import annotations

import asyncio

import grpc
import grpc.aio
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.reflection import add_reflection
from tests.server.loopback import Echoes, serving


def reflected(port: int) -> tuple[set[str], set[str], str]:
    """Ask as a client does that knows nothing of ext_proc; blocking, as its library is."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        message = pool.FindMessageTypeByName("envoy.service.ext_proc.v3.ProcessingRequest")
        service = pool.FindServiceByName("envoy.service.ext_proc.v3.ExternalProcessor")
        fields = {field.name for field in message.fields}
        return set(database.get_services()), fields, service.methods[0].output_type.full_name


async def test_a_client_without_proto_files_learns_the_service_and_its_messages() -> None:
    async with serving(Echoes().processor.add_to, add_reflection) as listener:
        services, fields, reply = await asyncio.to_thread(reflected, listener.port)

    assert services == {
        "envoy.service.ext_proc.v3.ExternalProcessor",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert fields == {field.name for field in pb.ProcessingRequest.DESCRIPTOR.fields}
    assert reply == "envoy.service.ext_proc.v3.ProcessingResponse"
