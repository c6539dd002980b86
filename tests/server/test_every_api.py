"""Each API, asked and answered in whole streams: model, costs and bytes, however it is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.costs.sheet import NAMESPACE, TYPES
from epp.exchange.modes import BodyMode
from epp.server.conversation import Conversation
from tests.openai.said import SAID, SSE, Said, asked, charged
from tests.server.envoy import (
    BUFFERED,
    DUPLEX,
    request_body,
    request_headers,
    response_body,
    response_headers,
    streamed,
)
from tests.server.picker import HEADER, Picker, pod

CONFIG = (
    HEADER
    + """
plugins: [{type: queue-scorer}]
models:
  table:
  - {name: mine, targets: [{model: m}]}
llmRequestCosts:
- {metadataKey: all, type: CEL, cel: "model == 'mine' ? input_tokens + output_tokens * 2u : 0u"}
"""
    + "".join(f"- {{metadataKey: {kind}, type: {kind}}}\n" for kind in TYPES)
)
Turn = Callable[[Conversation, pb.ProcessingRequest], list[pb.ProcessingResponse]]


def by_message(stream: Conversation, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
    return stream.receive(message)


def by_bytes(stream: Conversation, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
    replies = stream.exchange(message.SerializeToString())
    return [pb.ProcessingResponse.FromString(reply) for reply in replies]


class Exchange(msgspec.Struct):
    """What Envoy would send upstream and downstream, and what it was last told to charge."""

    sent: bytes
    answered: bytes
    charged: dict[str, float]


def exchange(
    picker: Picker, said: Said, mode: BodyMode, take: Turn, pieces: Sequence[bytes]
) -> Exchange:
    """Ask for the model `mine`, which the servers call `m`."""
    stream = picker.stream()
    take(stream, _opening(said, mode))
    body = asked(said.path, "mine", streams=said.content_type == SSE)[0]
    sent = _joined(take(stream, request_body(body)), body)
    [headers] = take(stream, response_headers(200, said.content_type))
    answered, told = b"", _charged(headers)
    for n, piece in enumerate(pieces):
        replies = take(stream, response_body(piece, end=n == len(pieces) - 1))
        answered += _joined(replies, piece)
        for reply in replies:
            told = _charged(reply) or told
    stream.close()
    return Exchange(sent, answered, told)


def _opening(said: Said, mode: BodyMode) -> pb.ProcessingRequest:
    message = request_headers(said.path, mode=mode)
    for header in message.request_headers.headers.headers:
        if header.key == "content-type":
            header.raw_value = said.asked_type.encode()
    return message


def _joined(replies: Sequence[pb.ProcessingResponse], piece: bytes) -> bytes:
    return b"".join(_given(reply, piece) for reply in replies)


def _given(reply: pb.ProcessingResponse, piece: bytes) -> bytes:
    part = streamed(reply)
    if part is not None:
        return part.body
    kind = reply.WhichOneof("response")
    if kind not in {"request_body", "response_body"}:
        return b""
    change = getattr(reply, kind).response
    body: bytes = change.body_mutation.body if change.HasField("body_mutation") else piece
    return body


def _charged(reply: pb.ProcessingResponse) -> dict[str, float]:
    if NAMESPACE not in reply.dynamic_metadata.fields:
        return {}
    values = reply.dynamic_metadata.fields[NAMESPACE].struct_value.fields
    return {key: values[key].number_value for key in (*TYPES, "all")}


def costs(said: Said) -> dict[str, float]:
    facts = charged(said)
    counts: dict[str, float] = {kind: getattr(facts, field) for kind, field in TYPES.items()}
    return counts | {"all": facts.input_tokens + 2 * facts.output_tokens}


@pytest.mark.parametrize("take", [by_message, by_bytes])
@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED], ids=["duplex", "buffered"])
@pytest.mark.parametrize("said", SAID, ids=lambda said: said.name)
def test_an_answer_is_passed_and_charged_the_same_wherever_it_is_cut(
    said: Said, mode: BodyMode, take: Turn
) -> None:
    picker = Picker(pod("10.0.0.1:8000"), config=CONFIG)
    answered = said.body
    if said.model:
        answered = answered.replace(b'"model": "m"', b'"model": "mine"')
        assert answered != said.body
    whole = exchange(picker, said, mode, take, [said.body])
    assert same(whole.sent, said.asked)
    assert whole.answered == answered
    assert whole.charged == costs(said)
    for at in range(len(said.body) + 1):
        assert exchange(picker, said, mode, take, [said.body[:at], said.body[at:]]) == whole
    record = picker.records[-1]
    assert (record.model, record.target_model) == ("mine", "m")
    assert (record.operation, record.response_model) == (said.operation, said.model)
    single = [said.body[at : at + 1] for at in range(len(said.body))]
    assert exchange(picker, said, mode, take, [*single, b""]) == whole


def same(body: bytes, other: bytes) -> bool:
    """Tell whether both are the same JSON, or the same bytes of a form."""
    if body.startswith(b"{"):
        return bool(msgspec.json.decode(body) == msgspec.json.decode(other))
    return body == other
