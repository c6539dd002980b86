"""Whole streams: what the client gets of an answer, however it is cut, and what it is charged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from epp.server.conversation import ConversationSettings
from epp.telemetry.level import Level, Sampler
from tests.server.envoy import (
    BUFFERED,
    DUPLEX,
    mutation,
    request_body,
    request_headers,
    response_body,
    response_headers,
    streamed,
)
from tests.server.picker import HEADER, Picker, pod

CAPTURED = (Path(__file__).parents[1] / "data" / "openai" / "chat-stream.sse").read_bytes()
SSE, JSON = "text/event-stream", "application/json"
POD = "10.0.0.1:8000"
ALIAS = """
plugins: [{type: queue-scorer}]
models:
  table:
  - {name: mine, targets: [{model: tiny}]}
"""
COSTS = """
plugins: [{type: queue-scorer}]
llmRequestCosts:
- {metadataKey: in, type: InputToken}
- {metadataKey: out, type: OutputToken}
- {metadataKey: cel, type: CEL, cel: total_tokens * 0.5}
"""
NAMESPACE = "io.envoy.ai_gateway"


def sse(*events: Any, named: bool = False) -> bytes:
    name = "event: %s\n" if named else "%.0s"
    return "".join(
        name % event.get("type", "") + f"data: {json.dumps(event)}\n\n" for event in events
    ).encode()


COMPLETION = {"id": "c", "object": "text_completion", "model": "tiny"}
RESPONSE = {"id": "r", "model": "tiny", "output": []}
MESSAGE = {"id": "m", "model": "tiny", "role": "assistant"}
STREAMS = {
    "chat/completions": (CAPTURED, (7, 3)),
    "completions": (
        sse(
            {**COMPLETION, "choices": [{"index": 0, "text": "a"}]},
            {**COMPLETION, "choices": [{"index": 0, "text": "b"}]},
            {**COMPLETION, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
        ),
        (7, 2),
    ),
    "responses": (
        sse(
            {"type": "response.created", "response": RESPONSE},
            {"type": "response.output_text.delta", "delta": "a"},
            {
                "type": "response.completed",
                "response": {**RESPONSE, "usage": {"input_tokens": 7, "output_tokens": 2}},
            },
            named=True,
        ),
        (7, 2),
    ),
    "messages": (
        sse(
            {
                "type": "message_start",
                "message": {**MESSAGE, "usage": {"input_tokens": 7, "output_tokens": 1}},
            },
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
            named=True,
        ),
        (7, 2),
    ),
}
BODIES: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "completions": {"prompt": "hello"},
    "responses": {"input": "hello"},
    "messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 5},
}
WHOLE = (
    b'{"id": "c", "model": "tiny", "choices": [{"message": {"content": "\\"model\\": \\"tiny\\""}}'
    b'], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}\n'
)


class Answered:
    """One request and its answer, as Envoy and the client see them."""

    def __init__(
        self,
        picker: Picker,
        pieces: Sequence[bytes],
        content_type: str,
        *,
        mode: BodyMode = DUPLEX,
        api: str = "chat/completions",
        status: int = 200,
        end: bool = True,
        **fields: Any,
    ) -> None:
        stream = picker.stream()
        stream.receive(request_headers(f"/v1/{api}", mode=mode))
        stream.receive(request_body({"model": "mine", **BODIES[api], **fields}))
        [headers] = stream.receive(response_headers(status, content_type))
        self.headers = mutation(headers)
        self.body = b""
        self.told = [_told(headers)]
        for n, piece in enumerate(pieces):
            message = response_body(piece, end=end and n == len(pieces) - 1)
            replies = stream.receive(message)
            self.body += b"".join(_given(reply, piece) for reply in replies)
            self.told += [_told(reply) for reply in replies]
        stream.close()
        self.record = picker.records[-1]


def _given(reply: pb.ProcessingResponse, piece: bytes) -> bytes:
    part = streamed(reply)
    if part is not None:
        return part.body
    changed = reply.response_body.response
    return changed.body_mutation.body if changed.HasField("body_mutation") else piece


def _told(reply: pb.ProcessingResponse) -> dict[str, Any]:
    fields = reply.dynamic_metadata.fields
    if NAMESPACE not in fields:
        return {}
    values = fields[NAMESPACE].struct_value.fields
    return {k: v.string_value or v.number_value for k, v in values.items()}


def cuts(data: bytes) -> list[list[bytes]]:
    return [
        [data, b""],
        *([data[:at], data[at:]] for at in range(len(data) + 1)),
        [data[i : i + 1] for i in range(len(data))],
    ]


# --- editing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
@pytest.mark.parametrize("api", STREAMS)
def test_a_stream_is_under_the_clients_name_wherever_it_is_cut(api: str, mode: BodyMode) -> None:
    stream, usage = STREAMS[api]
    picker = Picker(pod(POD), config=HEADER + ALIAS)
    expected = stream.replace(b'"tiny"', b'"mine"')
    assert expected != stream
    for pieces in cuts(stream):
        answered = Answered(picker, pieces, SSE, mode=mode, api=api)
        assert answered.body == expected
        record = answered.record
        assert (record.prompt_tokens, record.completion_tokens) == usage
        assert (record.model, record.response_model) == ("mine", "tiny")


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_json_is_under_the_clients_name_wherever_it_is_cut(mode: BodyMode) -> None:
    picker = Picker(pod(POD), config=HEADER + ALIAS)
    expected = WHOLE.replace(b'"model": "tiny"', b'"model": "mine"', 1)
    for pieces in cuts(WHOLE):
        answered = Answered(picker, pieces, JSON, mode=mode)
        assert answered.body == expected
        assert (answered.record.prompt_tokens, answered.record.completion_tokens) == (7, 3)


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
@pytest.mark.parametrize("asked", [False, True])
def test_usage_is_shown_to_those_who_asked(asked: bool, mode: BodyMode) -> None:
    picker = Picker(pod(POD), config=HEADER + COSTS)
    *before, _, done = CAPTURED.split(b"\n\n")[:-1]
    hidden = b"".join(part + b"\n\n" for part in [*before, done])
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if asked else {}
    for pieces in cuts(CAPTURED):
        answered = Answered(picker, pieces, SSE, mode=mode, stream=True, **options)
        assert answered.body == (CAPTURED if asked else hidden)
        assert answered.record.completion_tokens == 3


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_where_nothing_was_changed_nothing_is_edited(mode: BodyMode) -> None:
    picker = Picker(pod(POD))
    answered = Answered(picker, [CAPTURED, b""], SSE, mode=mode)
    assert answered.body == CAPTURED
    assert not answered.headers.remove_headers
    assert not any(answered.told)


def test_an_answer_whose_body_is_not_shown_is_said_to_stay_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = ConversationSettings(sampler=Sampler(Level.NONE, 1))
    picker = Picker(pod(POD), config=HEADER + ALIAS, settings=settings)
    for _ in range(2):
        assert not Answered(picker, [], JSON, mode=BUFFERED).headers.remove_headers
    [record] = caplog.records
    assert record.message == "an answer is left as it is"


# --- levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
@pytest.mark.parametrize(
    ("level", "seen"),
    [
        (Level.NONE, (200, False, None, None)),
        (Level.HEADERS, (200, True, None, None)),
        (Level.FULL, (200, True, 3, "tiny")),
    ],
)
def test_a_level_says_how_much_of_an_answer_is_read(
    level: Level, seen: tuple[Any, ...], mode: BodyMode
) -> None:
    settings = ConversationSettings(sampler=Sampler(level, 1))
    picker = Picker(pod(POD), settings=settings)
    pieces = [CAPTURED, b""] if mode is DUPLEX or level is Level.FULL else []
    record = Answered(picker, pieces, SSE, mode=mode).record
    model = record.response_model or None
    assert (record.status, record.streaming, record.completion_tokens, model) == seen
    assert record.error_code is None


def test_of_a_sample_one_answer_in_so_many_is_read() -> None:
    settings = ConversationSettings(sampler=Sampler(Level.SAMPLE, 3))
    picker = Picker(pod(POD), settings=settings)
    read = [Answered(picker, [CAPTURED], SSE).record.completion_tokens for _ in range(6)]
    assert read == [3, None, None, 3, None, None]


@pytest.mark.parametrize(
    ("level", "edits", "response"),
    [
        (Level.NONE, False, BodyMode.NONE),
        (Level.HEADERS, False, BodyMode.NONE),
        (Level.NONE, True, BodyMode.STREAMED),
        (Level.FULL, False, BodyMode.STREAMED),
    ],
)
def test_a_body_that_nobody_reads_is_not_asked_for(
    level: Level, edits: bool, response: BodyMode
) -> None:
    settings = ConversationSettings(sampler=Sampler(level, 1), edits=edits)
    stream = Picker(pod(POD), settings=settings).stream()
    [headers] = stream.receive(request_headers(mode=BUFFERED))
    assert headers.mode_override.response_body_mode == response.value


# --- costs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_each_token_is_charged_as_it_passes_and_the_servers_count_at_last(mode: BodyMode) -> None:
    picker = Picker(pod(POD), config=HEADER + COSTS)
    pieces = [event + b"\n\n" for event in CAPTURED.split(b"\n\n")[:-1]]
    told = Answered(picker, [*pieces, b""], SSE, mode=mode, stream=True).told
    totals = [(t["in"], t["out"], t["cel"]) for t in told if t]
    assert totals == [
        (4, 0, 2),
        (4, 0, 2),  # the answer has named its model
        (4, 1, 2.5),
        (4, 2, 3),
        (4, 3, 3.5),
        (7, 3, 5),
    ]
    assert told[0] | {"in": 0, "out": 0, "cel": 0} == {
        "model_name_override": "mine",
        "backend_name": POD,
        "response_model": "mine",
        "in": 0,
        "out": 0,
        "cel": 0,
    }


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_json_is_charged_at_its_end_wherever_it_is_cut(mode: BodyMode) -> None:
    picker = Picker(pod(POD), config=HEADER + COSTS)
    for pieces in cuts(WHOLE):
        told = [t for t in Answered(picker, pieces, JSON, mode=mode).told if t]
        assert [(t["in"], t["out"], t["cel"]) for t in told] == [(4, 0, 2), (7, 3, 5)]


def test_an_error_is_not_charged() -> None:
    picker = Picker(pod(POD), config=HEADER + COSTS)
    assert not any(Answered(picker, [WHOLE], JSON, status=500).told)


def test_an_answer_that_breaks_off_was_charged_until_then() -> None:
    picker = Picker(pod(POD), config=HEADER + COSTS)
    pieces = [event + b"\n\n" for event in CAPTURED.split(b"\n\n")[:3]]
    told = Answered(picker, pieces, SSE, end=False, stream=True).told
    assert (told[-1]["in"], told[-1]["out"]) == (4, 2)
