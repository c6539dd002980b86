"""Describes the services to clients that come without their .proto files (grpcurl, ghz)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2 as pb

from epp.http2.status import Status
from epp.server.native.call import Call

SERVICE = pb.DESCRIPTOR.services_by_name["ServerReflection"].full_name


class Reflection:
    """Answers each question of one stream."""

    def __init__(self, services: Iterable[str], call: Call) -> None:
        self._services = tuple(services)
        self._call = call

    def message(self, data: bytes) -> Sequence[bytes]:
        """Answer one question."""
        try:
            request = pb.ServerReflectionRequest.FromString(data)
        except DecodeError:
            self._call.end(Status.INTERNAL, "this is no ServerReflectionRequest")
            return ()
        response = pb.ServerReflectionResponse(valid_host=request.host, original_request=request)
        self._answer(request, response)
        return (response.SerializeToString(),)

    def ended(self) -> None:
        """End with the peer."""
        self._call.end()

    def closed(self) -> None:
        """Hold nothing."""

    def _answer(
        self, request: pb.ServerReflectionRequest, response: pb.ServerReflectionResponse
    ) -> None:
        if request.WhichOneof("message_request") == "list_services":
            for name in self._services:
                response.list_services_response.service.add(name=name)
            return
        try:
            files = _with_imports(_file(Default(), request))
        except (KeyError, TypeError):
            response.error_response.error_code = Status.NOT_FOUND
            response.error_response.error_message = "not found"
            return
        found = response.file_descriptor_response.file_descriptor_proto
        found.extend(file.serialized_pb for file in files)


def _file(pool: DescriptorPool, request: pb.ServerReflectionRequest) -> FileDescriptor:
    """Return the file that is asked for; KeyError if there is none."""
    if request.WhichOneof("message_request") == "file_by_filename":
        return pool.FindFileByName(request.file_by_filename)
    symbol = request.file_containing_symbol
    try:
        return pool.FindFileContainingSymbol(symbol)
    except KeyError:  # of a method too, by which ghz asks
        return pool.FindMethodByName(symbol).containing_service.file


def _with_imports(file: FileDescriptor) -> Iterator[FileDescriptor]:
    """Yield the file and, once each, all that it needs."""
    seen: set[str] = set()
    waiting = [file]
    while waiting:
        file = waiting.pop()
        if file.name not in seen:
            seen.add(file.name)
            yield file
            waiting += file.dependencies
