from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from epp.openai.request import Invalid, Request, parse

GRPC = "application/grpc+proto"
GENERATE, EMBED = (f"/vllm.grpc.engine.VllmEngine/{method}" for method in ("Generate", "Embed"))
F = descriptor_pb2.FieldDescriptorProto

# vLLM's numbers, with protobuf's own library as the other end.
MESSAGES = {
    "Tokenized": [("original_text", 1, F.TYPE_STRING, ""), ("input_ids", 2, F.TYPE_UINT32, "*")],
    "Sampling": [
        ("temperature", 1, F.TYPE_FLOAT, ""),
        ("max_tokens", 8, F.TYPE_UINT32, ""),
        ("stop", 10, F.TYPE_STRING, "*"),
    ],
    "Media": [("mm_hashes", 6, F.TYPE_STRING, "*")],
    "Ask": [
        ("request_id", 1, F.TYPE_STRING, ""),
        ("tokenized", 2, F.TYPE_MESSAGE, ".t.Tokenized"),
        ("text", 3, F.TYPE_STRING, ""),
        ("sampling_params", 4, F.TYPE_MESSAGE, ".t.Sampling"),
        ("stream", 5, F.TYPE_BOOL, ""),
        ("mm_inputs", 7, F.TYPE_MESSAGE, ".t.Media"),
    ],
}


def kind() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, type_, more in fields:
            label = F.LABEL_REPEATED if more == "*" else F.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, type=type_, label=label)
            if more.startswith("."):
                added.type_name = more
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Ask"))


ASK = kind()


def frame(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


def asked(path: str = GENERATE, **fields: Any) -> Request:
    request = parse(path, GRPC, frame(ASK(**fields).SerializeToString()))
    assert isinstance(request, Request), request
    return request


def test_a_text_is_the_prompt() -> None:
    fields: dict[str, Any] = {
        "text": "hé",
        "stream": True,
        "sampling_params": {"max_tokens": 300, "stop": ["x"]},
    }
    request = asked(request_id="r", **fields)
    assert request == Request("grpc_generate", "", "hé", stream=True, max_tokens=300)


def test_tokens_are_the_prompt_and_a_later_turn_extends_an_earlier() -> None:
    ids = [*range(0, 200_000, 1001)]
    turns = [asked(tokenized={"original_text": "t", "input_ids": ids[:n]}).prompt for n in (9, 99)]
    assert turns[0]
    assert turns[1].startswith(turns[0])
    assert asked(tokenized={"input_ids": [1]}).prompt != asked(text="1").prompt
    assert asked(EMBED, tokenized={"input_ids": ids[:9]}) == Request("grpc_embed", "", turns[0])


def test_pictures_stand_before_the_tokens() -> None:
    one, other = (asked(text="x", mm_inputs={"mm_hashes": [h]}).prompt for h in "ab")
    assert one != other
    assert one.endswith("x")


def test_nothing_is_a_message_too() -> None:
    assert asked() == Request("grpc_generate")


def cuts(body: bytes) -> Iterator[bytes]:
    yield from (body[:end] for end in range(len(body)))


def test_a_frame_that_is_cut_or_too_long_is_refused() -> None:
    whole = frame(ASK(text="hello").SerializeToString())
    for body in (*cuts(whole), whole + b"x", b"\x02" + whole[1:]):
        found = parse(GENERATE, GRPC, body)
        assert isinstance(found, Invalid)
        assert found.code == "invalid_grpc_message"


@pytest.mark.parametrize(("content_type", "body"), [(GRPC, b"\x01\0\0\0\x01x"), ("text/x", b"x")])
def test_what_is_compressed_or_no_grpc_is_not_read(content_type: str, body: bytes) -> None:
    assert parse(GENERATE, content_type, body) == Request("grpc_generate")


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail(message: bytes) -> None:
    assert isinstance(parse(GENERATE, GRPC, frame(message)), Request | Invalid)
