from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange import actions, events
from epp.exchange.errors import ProtocolError
from epp.exchange.modes import BodyMode, Modes
from epp.server import codec
from tests.server.envoy import (
    header_map,
    kinds,
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
)

NAMESPACE, KEY = "a.namespace", "a-key"

# --- from Envoy -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (request_headers(), events.RequestHeaders),
        (request_headers(end=True), events.HeaderOnlyRequest),
        (request_body(b"x", end=False), events.RequestBody),
        (request_body(b"x"), events.RequestLastBody),
        (request_trailers(), events.RequestTrailers),
        (response_headers(), events.ResponseHeaders),
        (response_headers(end=True), events.HeaderOnlyResponse),
        (response_body(b"x"), events.ResponseBody),
        (response_body(b"x", end=True), events.ResponseLastBody),
        (response_trailers(), events.ResponseTrailers),
    ],
)
def test_each_message_is_one_event(message: pb.ProcessingRequest, kind: type) -> None:
    assert type(codec.event(message)) is kind


def test_a_body_keeps_its_bytes() -> None:
    assert codec.event(request_body(b"\x00\xff")) == events.RequestLastBody(b"\x00\xff")
    assert codec.event(response_body(b"\x00\xff")) == events.ResponseBody(b"\x00\xff")


def test_a_message_without_content_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="without content"):
        codec.event(pb.ProcessingRequest())


def test_headers_are_read_from_either_field_in_lower_case_and_the_last_one_counts() -> None:
    headers = header_map([("X-Upper", "a"), ("x-twice", "1"), ("x-twice", "2"), ("x-none", "")])
    headers.headers.add(key="x-text", value="text")
    headers.headers.add(key="x-both", value="text", raw_value=b"raw")
    headers.headers.add(key="x-bytes", raw_value=b"\xff\xc3\xa9")
    message = pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=headers))
    assert codec.event(message) == events.RequestHeaders(
        {
            "x-upper": "a",
            "x-twice": "2",
            "x-none": "",
            "x-text": "text",
            "x-both": "raw",
            "x-bytes": "\ufffdé",
        }
    )


@pytest.mark.parametrize("mode", list(BodyMode))
def test_the_modes_are_in_the_first_message(mode: BodyMode) -> None:
    assert codec.modes(codec.around(request_headers(mode=mode))) == Modes(mode, mode)
    assert codec.modes(codec.around(request_headers(mode=None))) is None


def test_a_mode_that_is_not_known_is_a_protocol_error() -> None:
    message = request_headers()
    message.protocol_config.response_body_mode = 5  # type: ignore[assignment]
    with pytest.raises(ProtocolError, match="5"):
        codec.modes(codec.around(message))


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        (["a:1", "b:1"], ["a:1", "b:1"]),
        ("a:1,b:1", ["a:1,b:1"]),
        (["a:1", 7, None, {"b": "c"}, ["d"]], ["a:1"]),
        ([], []),
        (7, []),
        (None, []),
        ({"a": "b"}, []),
    ],
)
def test_a_subset_is_a_list_or_a_string_and_what_else_is_in_it_names_nobody(
    given_: Any, read: list[str]
) -> None:
    message = request_headers()
    message.metadata_context.filter_metadata[NAMESPACE].update({KEY: given_})
    assert codec.subset(message, NAMESPACE, KEY) == read


def test_without_the_key_there_is_no_subset() -> None:
    message = request_body(b"")
    assert codec.subset(message, NAMESPACE, KEY) is None
    message.metadata_context.filter_metadata["another"].update({KEY: ["a:1"]})
    message.metadata_context.filter_metadata[NAMESPACE].update({"another": ["a:1"]})
    assert codec.subset(message, NAMESPACE, KEY) is None
    assert set(message.metadata_context.filter_metadata) == {"another", NAMESPACE}, (
        "looking is not writing"
    )


# --- to Envoy ---------------------------------------------------------------------------------

MUTATION = actions.Mutation([("x-set", "é"), ("x-too", "b")], ["x-removed"])
MUTATED = pb.CommonResponse(
    header_mutation=pb.HeaderMutation(
        set_headers=[
            core.HeaderValueOption(
                header=core.HeaderValue(key=key, raw_value=value.encode()),
                append_action=core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
            )
            for key, value in (("x-set", "é"), ("x-too", "b"))
        ],
        remove_headers=["x-removed"],
    )
)


def streamed(data: bytes, end: bool) -> pb.BodyResponse:
    piece = pb.StreamedBodyResponse(body=data, end_of_stream=end)
    mutation = pb.BodyMutation(streamed_response=piece)
    return pb.BodyResponse(response=pb.CommonResponse(body_mutation=mutation))


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            actions.ReplyRequestHeaders(),
            pb.ProcessingResponse(request_headers=pb.HeadersResponse()),
        ),
        (
            actions.ReplyRequestHeaders(MUTATION),
            pb.ProcessingResponse(request_headers=pb.HeadersResponse(response=MUTATED)),
        ),
        (
            actions.ReplyRequestBody(),
            pb.ProcessingResponse(request_body=pb.BodyResponse()),
        ),
        (
            actions.ReplyRequestBody(MUTATION),
            pb.ProcessingResponse(request_body=pb.BodyResponse(response=MUTATED)),
        ),
        (
            actions.StreamRequestBody(b"x", end_of_stream=True),
            pb.ProcessingResponse(request_body=streamed(b"x", end=True)),
        ),
        (
            actions.StreamRequestBody(b"", end_of_stream=False),
            pb.ProcessingResponse(request_body=streamed(b"", end=False)),
        ),
        (
            actions.ReplyRequestTrailers(),
            pb.ProcessingResponse(request_trailers=pb.TrailersResponse()),
        ),
        (
            actions.ReplyResponseHeaders(),
            pb.ProcessingResponse(response_headers=pb.HeadersResponse()),
        ),
        (
            actions.ReplyResponseHeaders(MUTATION),
            pb.ProcessingResponse(response_headers=pb.HeadersResponse(response=MUTATED)),
        ),
        (
            actions.ReplyResponseBody(),
            pb.ProcessingResponse(response_body=pb.BodyResponse()),
        ),
        (
            actions.StreamResponseBody(b"x", end_of_stream=True),
            pb.ProcessingResponse(response_body=streamed(b"x", end=True)),
        ),
        (
            actions.StreamResponseBody(b"", end_of_stream=False),
            pb.ProcessingResponse(response_body=streamed(b"", end=False)),
        ),
        (
            actions.ReplyResponseBody(b""),
            pb.ProcessingResponse(
                response_body=pb.BodyResponse(
                    response=pb.CommonResponse(body_mutation=pb.BodyMutation(body=b""))
                )
            ),
        ),
        (
            actions.ReplyResponseTrailers(),
            pb.ProcessingResponse(response_trailers=pb.TrailersResponse()),
        ),
    ],
    ids=lambda part: type(part).__name__,
)
def test_each_action_is_one_message(
    action: actions.RequestReply | actions.ResponseReply, message: pb.ProcessingResponse
) -> None:
    assert codec.reply(action) == message


def test_the_route_cache_is_cleared_beside_a_change_of_headers() -> None:
    mutation = actions.Mutation([("x", "y")], clear_route_cache=True)
    headers = codec.reply(actions.ReplyRequestHeaders(mutation))
    body = codec.reply(actions.ReplyRequestBody(mutation))
    assert headers.request_headers.response.clear_route_cache
    assert body.request_body.response.clear_route_cache


def test_metadata_is_a_struct_for_each_namespace() -> None:
    metadata = {"envoy.lb": {"a": "1", "b": "2"}, "other": {"c": ""}}
    for action in (
        actions.ReplyRequestHeaders(metadata=metadata),
        actions.ReplyRequestBody(MUTATION, metadata),
    ):
        told = codec.reply(action).dynamic_metadata.fields
        assert {
            namespace: {k: v.string_value for k, v in value.struct_value.fields.items()}
            for namespace, value in told.items()
        } == metadata


@pytest.mark.parametrize(
    "action",
    [
        actions.ReplyResponseHeaders(metadata={"ns": {"tokens": 5, "cost": 0.5, "name": "m"}}),
        actions.ReplyResponseBody(metadata={"ns": {"tokens": 5, "cost": 0.5, "name": "m"}}),
        actions.StreamResponseBody(b"x", True, {"ns": {"tokens": 5, "cost": 0.5, "name": "m"}}),
        actions.ReplyResponseTrailers({"ns": {"tokens": 5, "cost": 0.5, "name": "m"}}),
    ],
    ids=lambda action: type(action).__name__,
)
def test_an_answer_is_charged_in_numbers(action: actions.ResponseReply) -> None:
    message = codec.reply(action)
    bare = codec.reply(structs.replace(action, metadata={}))
    assert message.WhichOneof("response") == bare.WhichOneof("response")
    told = message.dynamic_metadata.fields["ns"].struct_value.fields
    assert (told["tokens"].number_value, told["cost"].number_value) == (5, 0.5)
    assert told["name"].string_value == "m"
    assert not bare.HasField("dynamic_metadata"), "a shared reply is never written to"


@given(st.sampled_from(BodyMode), st.sampled_from(BodyMode))
def test_an_override_states_both_modes_and_leaves_the_rest_as_it_is(
    request: BodyMode, response: BodyMode
) -> None:
    reply = codec.reply(actions.ReplyRequestHeaders(override=Modes(request, response)))
    assert reply.HasField("mode_override")
    override = reply.mode_override
    assert int(override.request_body_mode) == request
    assert int(override.response_body_mode) == response
    assert int(override.request_header_mode) == int(override.response_header_mode) == 0
    assert not codec.reply(actions.ReplyRequestHeaders()).HasField("mode_override")


def test_a_refusal_is_an_openai_error_with_its_reason() -> None:
    refused = events.Refused(429, "Full.", "rejected-saturated", retry_after_s=3)
    answer = codec.reply(actions.Refuse(refused)).immediate_response
    assert int(answer.status.code) == 429
    assert {o.header.key: o.header.raw_value for o in answer.headers.set_headers} == {
        "content-type": b"application/json",
        "x-llm-d-request-dropped-reason": b"rejected-saturated",
        "retry-after": b"3",
    }
    assert answer.body.startswith(b'{"error":{"message":"Full."')
    assert answer.details == "epp_rejected-saturated"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/messages?beta=true", "error"), ("/v1/chat/completions", None), ("", None)],
)
def test_a_refusal_has_the_shape_of_the_api_that_was_asked(path: str, kind: str | None) -> None:
    message = codec.reply(actions.Refuse(events.Refused(413, "No.", path=path)))
    body = json.loads(message.immediate_response.body)
    assert body.get("type") == kind
    assert body["error"]["message"] == "No."


def test_a_grpc_client_gets_a_status_of_grpc_and_the_message() -> None:
    path = "/vllm.grpc.engine.VllmEngine/Generate"
    for status, expected in ((400, 3), (429, 8), (503, 14), (504, 4), (500, 13)):
        refused = actions.Refuse(events.Refused(status, "No.", path=path))
        answer = codec.reply(refused).immediate_response
        assert (answer.grpc_status.status, answer.body) == (expected, b"No.")


def test_an_answer_of_the_picker_s_own_is_sent_as_it_is() -> None:
    answered = events.Answered(200, [("content-type", "application/json")], b"{}")
    answer = codec.reply(actions.Answer(answered)).immediate_response
    assert (answer.status.code, answer.body, answer.details) == (200, b"{}", "epp_answered")
    (header,) = answer.headers.set_headers
    assert (header.header.key, header.header.raw_value) == ("content-type", b"application/json")


def test_a_refusal_without_a_reason_has_no_reason_header() -> None:
    answer = codec.reply(actions.Refuse(events.Refused(500, "Oh."))).immediate_response
    assert [o.header.key for o in answer.headers.set_headers] == ["content-type"]
    assert answer.details == "epp_500"


def test_replies_survive_the_wire() -> None:
    reply = codec.reply(actions.StreamResponseBody(b"x" * 62_000, end_of_stream=True))
    assert pb.ProcessingResponse.FromString(reply.SerializeToString()) == reply
    assert kinds([reply]) == ["response_body*"]
