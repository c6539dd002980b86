from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.server.listen import Services
from epp.server.processor import SERVICE
from tests.server.loopback import Echoes, Serving, channel_to

REFLECTED = Services(Echoes().processor, reflection=True)


def reflected(port: int) -> tuple[set[str], set[str], str]:
    """Ask as a client does that knows nothing of ext_proc; blocking, as its library is."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        message = pool.FindMessageTypeByName("envoy.service.ext_proc.v3.ProcessingRequest")
        service = pool.FindServiceByName("envoy.service.ext_proc.v3.ExternalProcessor")
        fields = {field.name for field in message.fields}
        return set(database.get_services()), fields, service.methods[0].output_type.full_name


async def test_a_client_without_proto_files_learns_the_service_and_its_messages(
    serving: Serving,
) -> None:
    async with serving(REFLECTED) as listener:
        services, fields, reply = await asyncio.to_thread(reflected, listener.port)

    assert services == {
        "envoy.service.ext_proc.v3.ExternalProcessor",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert fields == {field.name for field in pb.ProcessingRequest.DESCRIPTOR.fields}
    assert reply == "envoy.service.ext_proc.v3.ProcessingResponse"


@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        (SERVICE, pb.DESCRIPTOR.name),
        (f"{SERVICE}.Process", pb.DESCRIPTOR.name),
        ("envoy.service.ext_proc.v3.ProcessingRequest", pb.DESCRIPTOR.name),
        ("envoy.type.v3.HttpStatus", "envoy/type/v3/http_status.proto"),
    ],
)
async def test_the_file_of_a_service_a_method_or_a_message_is_found(
    serving: Serving, symbol: str, file: str
) -> None:
    response = await file_containing(serving, symbol)

    first = response.file_descriptor_response.file_descriptor_proto[0]
    assert FileDescriptorProto.FromString(first).name == file


@pytest.mark.parametrize("symbol", [f"{SERVICE}.Other", "unknown.Service", ""])
async def test_what_is_not_there_is_not_found(serving: Serving, symbol: str) -> None:
    response = await file_containing(serving, symbol)

    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def file_containing(serving: Serving, symbol: str) -> ServerReflectionResponse:
    async with serving(REFLECTED) as listener, channel_to(listener) as channel:
        ask: grpc.aio.StreamStreamMultiCallable[ServerReflectionRequest, ServerReflectionResponse]
        ask = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        stream = ask()
        await stream.write(ServerReflectionRequest(file_containing_symbol=symbol))
        response = await stream.read()
        await stream.done_writing()
        assert isinstance(response, ServerReflectionResponse)
        return response
