"""Streams as a real gateway opened them (tests/data/ai-gateway-1.1), played to the picker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from tests.server.envoy import destination, first, header_map, kinds
from tests.server.picker import DEFAULT, Picker, pod

DATA = Path(__file__).parent.parent / "data" / "ai-gateway-1.1"
POD = "127.0.0.1:18101"


def streams(name: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the recorded messages of each stream of a file."""
    by_stream: dict[int, list[dict[str, Any]]] = {}
    for line in (DATA / name).read_bytes().splitlines():
        message = msgspec.json.decode(line)
        if "kind" in message:
            by_stream.setdefault(message["n"], []).append(message)
    yield from by_stream.values()


def message_of(recorded: dict[str, Any]) -> pb.ProcessingRequest:
    """Return the protobuf message of a recorded one; a cut body is filled up to its length."""
    kind, end = recorded["kind"], recorded["eos"]
    if kind.endswith("headers"):
        content: Any = pb.HttpHeaders(headers=header_map(recorded["headers"]), end_of_stream=end)
    else:
        head = recorded["head"].encode()
        content = pb.HttpBody(body=head + b" " * (recorded["len"] - len(head)), end_of_stream=end)
    message = pb.ProcessingRequest(**{kind: content})
    if "protocol_config" in recorded:
        first(message, BodyMode[recorded["protocol_config"]["requestBodyMode"]])
    return message


ALL = [
    pytest.param(stream, id=f"{path.stem}-{stream[0]['n']}")
    for path in sorted(DATA.glob("*.jsonl"))
    for stream in streams(path.name)
]

EXPECTED = {
    ("FULL_DUPLEX_STREAMED", "response_headers"): "response_headers",
    ("BUFFERED", "request_headers"): "request_headers",
    ("BUFFERED", "request_body"): "request_body",
    ("BUFFERED", "response_headers"): "response_headers",
    ("BUFFERED", "response_body"): "response_body",
}


@pytest.mark.parametrize("recorded", ALL)
def test_every_recorded_stream_is_answered_message_by_message(
    recorded: list[dict[str, Any]],
) -> None:
    stream = Picker(pod(POD)).stream()
    mode = recorded[0]["protocol_config"]["requestBodyMode"]
    placed: list[str] = []
    for one in recorded:
        replies = stream.receive(message_of(one))
        if mode == "BUFFERED":
            assert kinds(replies) == [EXPECTED[mode, one["kind"]]]
        elif one["kind"] == "request_body":
            assert kinds(replies) == (["request_headers", "request_body*"] if one["eos"] else [])
        elif one["kind"] == "request_headers":
            assert kinds(replies) == (["request_headers"] if one["eos"] else [])
        elif one["kind"] == "response_body":
            assert kinds(replies) == ["response_body" + "*" * one["eos"]]
        placed += [
            found
            for reply in replies
            if reply.WhichOneof("response") in {"request_headers", "request_body"}
            and reply.HasField("dynamic_metadata")
            and (found := destination(reply))
        ]
    asked = any(
        one["kind"] == "request_body" or (one["kind"] == "request_headers" and one["eos"])
        for one in recorded
    )
    assert placed == [POD] * asked
    stream.close()


def test_two_filters_on_one_request_are_given_one_choice_and_counted_once() -> None:
    outer_messages, inner_messages = streams("duplex-two-filters.jsonl")
    pods = [pod(POD), *(pod(f"127.0.0.1:{18102 + n}") for n in range(4))]
    config = DEFAULT.replace("queue-scorer", "active-request-scorer")
    picker = Picker(*pods, config=config)
    outer, inner = picker.stream(), picker.stream()
    picked = _request_phase(outer, outer_messages)
    for one in inner_messages[0]["headers"]:
        if one[0] == "x-gateway-destination-endpoint":
            one[1] = picked
    assert _request_phase(inner, inner_messages) == picked
    for stream, messages in ((inner, inner_messages), (outer, outer_messages)):
        for one in messages:
            if one["kind"].startswith("response"):
                stream.receive(message_of(one))
        stream.close()
    assert [record.endpoint for record in picker.records] == [picked]


def _request_phase(stream: Any, messages: list[dict[str, Any]]) -> str:
    replies = [
        reply
        for one in messages
        if one["kind"].startswith("request")
        for reply in stream.receive(message_of(one))
    ]
    picked = destination(replies[0])
    assert picked is not None
    return picked
