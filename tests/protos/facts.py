"""What two descriptions of the same messages must agree on, as values that print as a diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

Facts = dict[str, dict[str, object]]


def facts_of(files: Iterable[FileDescriptorProto]) -> Facts:
    """Give every file, message, enum and service by its full name, with all of its members."""
    return dict(fact for file in files for fact in _file(file))


def contradictions(ours: Facts, theirs: Facts) -> list[str]:
    """Say what we declare and they do not, or not so."""
    return [
        f"{name}.{member}: {fact}, but {known.get(member)}"
        for name, members in ours.items()
        for known in [theirs.get(name, {})]
        for member, fact in members.items()
        if known.get(member) != fact
    ]


def omissions(ours: Facts, theirs: Facts) -> list[str]:
    """Name the members that we leave out of a message, an enum or a service that we declare."""
    return [
        f"{name}.{member}"
        for name, members in ours.items()
        for member in theirs.get(name, {})
        if member not in members
    ]


def _file(file: FileDescriptorProto) -> Iterator[tuple[str, dict[str, object]]]:
    yield file.name, {"package": file.package, "syntax": file.syntax}
    for message in file.message_type:
        yield from _message(file.package, message)
    for enum in file.enum_type:
        yield f"{file.package}.{enum.name}", _enum(enum)
    for service in file.service:
        yield f"{file.package}.{service.name}", _service(service)


def _message(scope: str, message: DescriptorProto) -> Iterator[tuple[str, dict[str, object]]]:
    name = f"{scope}.{message.name}"
    fields: dict[str, object] = {field.name: _field(message, field) for field in message.field}
    yield name, fields | {"(map entry)": message.options.map_entry}
    for nested in message.nested_type:
        yield from _message(name, nested)
    for enum in message.enum_type:
        yield f"{name}.{enum.name}", _enum(enum)


def _field(message: DescriptorProto, field: FieldDescriptorProto) -> dict[str, object]:
    in_oneof = field.HasField("oneof_index")
    return {
        "number": field.number,
        "type": field.type_name or FieldDescriptorProto.Type.Name(field.type),
        "label": FieldDescriptorProto.Label.Name(field.label),
        "json_name": field.json_name or _camel_case(field.name),
        "oneof": message.oneof_decl[field.oneof_index].name if in_oneof else None,
        "optional": field.proto3_optional,
        "deprecated": field.options.deprecated,
    }


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _enum(enum: EnumDescriptorProto) -> dict[str, object]:
    return {value.name: value.number for value in enum.value}


def _service(service: ServiceDescriptorProto) -> dict[str, object]:
    return {
        method.name: (
            method.input_type,
            method.output_type,
            method.client_streaming,
            method.server_streaming,
        )
        for method in service.method
    }
