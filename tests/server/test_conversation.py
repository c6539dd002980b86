"""Streams as Envoy opens them: messages in, messages out."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from epp.exchange.modes import BodyMode
from epp.pool.endpoint import Endpoint
from epp.routing.router import Router
from epp.server.conversation import ConversationSettings
from epp.telemetry.level import Level, Sampler
from tests.server.envoy import (
    BUFFERED,
    DESTINATION,
    DUPLEX,
    Refusal,
    body,
    destination,
    kinds,
    mutation,
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
    set_headers,
)
from tests.server.picker import DEFAULT, HEADER, Picker, pod

PROMPT = {"model": "my-model", "prompt": "test1", "max_tokens": 100, "temperature": 0}
A, B, C = "192.168.1.1:8000", "192.168.1.2:8000", "192.168.1.3:8000"


def three() -> list[Endpoint]:
    return [pod(A, 3, 0.2), pod(B, 0, 0.1), pod(C, 10, 0.2)]


def ask(picker: Picker, content: Any = PROMPT, **headers: Any) -> list[Any]:
    """Send one request in full duplex and return the replies to it."""
    stream = picker.stream()
    assert stream.receive(request_headers(**headers)) == []
    return stream.receive(request_body(content))


# --- choosing ---------------------------------------------------------------------------------


def test_the_lower_queue_and_kv_cache_win() -> None:
    headers, part = ask(Picker(*three()))
    assert destination(headers) == B
    assert set_headers(headers) == {DESTINATION: B, "x-ai-eg-model": "my-model"}
    assert kinds([headers, part]) == ["request_headers", "request_body*"]


def test_headers_are_overwritten_never_appended() -> None:
    headers, _ = ask(Picker(*three()))
    for option in mutation(headers).set_headers:
        assert option.append_action == option.OVERWRITE_IF_EXISTS_OR_ADD
        assert not option.HasField("append")
        assert option.header.value == ""


def test_an_active_lora_adapter_on_a_pod_with_a_short_queue_wins() -> None:
    picker = Picker(
        pod(A, 0, 0.2, loras=["foo", "bar"]),
        pod(B, 0, 0.1, loras=["foo", "sql-lora"]),
        pod(C, 10, 0.2, loras=["foo", "bar"]),
    )
    headers, _ = ask(picker, {**PROMPT, "model": "sql-lora"})
    assert destination(headers) == B


def test_lora_affinity_outweighs_a_somewhat_fuller_kv_cache() -> None:
    picker = Picker(
        pod(A, 10, 0.2, loras=["foo", "bar"]),
        pod(B, 10, 0.4, loras=["foo", "sql-lora"]),
        pod(C, 10, 0.3, loras=["foo", "bar"]),
    )
    headers, _ = ask(picker, {**PROMPT, "model": "sql-lora"})
    assert destination(headers) == B


def test_a_saturated_pool_still_serves_by_default() -> None:
    picker = Picker(pod(A, 6, 0.95), pod(B, 0, 0.85), pod(C, 10, 0.9))
    headers, _ = ask(picker)
    assert destination(headers) == B


def test_two_endpoints_can_be_given_where_a_cluster_takes_lists() -> None:
    config = DEFAULT.replace(
        "plugins:\n- type: queue-scorer",
        "plugins:\n- type: max-score-picker\n  parameters: {maxNumOfEndpoints: 2}\n"
        "- type: queue-scorer",
    ).replace("  plugins:\n", "  plugins:\n  - {pluginRef: max-score-picker}\n")
    headers, _ = ask(Picker(*three(), config=config))
    assert destination(headers) == f"{B},{A}"


def test_a_model_that_no_objective_names_is_routed() -> None:
    headers, _ = ask(Picker(*three()), headers={"x-llm-d-inference-objective": "no-such-objective"})
    assert destination(headers) == B


# --- what the client sends --------------------------------------------------------------------


def test_a_body_is_given_back_byte_for_byte() -> None:
    content = b'{ "model" :"my-model",\n "prompt": "t\\u00e9st", "x": [1, 2.50] }'
    replies = ask(Picker(*three()), content)
    assert body(replies) == content


def test_a_body_split_across_chunks_comes_back_as_one() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers())
    parts = [b'{"max_tokens":100,"model":"sql-lo', b'ra-sheddable","prompt":"test6"', b"}"]
    for part in parts[:-1]:
        assert stream.receive(request_body(part, end=False)) == []
    replies = stream.receive(request_body(parts[-1]))
    assert kinds(replies) == ["request_headers", "request_body*"]
    assert set_headers(replies[0])["x-ai-eg-model"] == "sql-lora-sheddable"
    assert body(replies) == b"".join(parts)


def test_a_client_cannot_name_its_destination_or_speak_to_the_picker_through_to_the_pod() -> None:
    headers, _ = ask(
        Picker(*three()),
        headers={
            DESTINATION: "203.0.113.9:80",
            "x-llm-d-inference-objective": "food-review",
            "content-length": "99999",
            "x-other": "kept",
        },
    )
    assert destination(headers) == B
    assert list(mutation(headers).remove_headers) == ["x-llm-d-inference-objective"]
    assert set(set_headers(headers)) == {DESTINATION, "x-ai-eg-model"}


def test_repeated_headers_are_left_to_envoy() -> None:
    headers, _ = ask(Picker(*three()), headers=[("x-forwarded-for", "a"), ("x-forwarded-for", "b")])
    assert "x-forwarded-for" not in set_headers(headers)
    assert list(mutation(headers).remove_headers) == []


def test_the_raw_value_of_a_header_wins_over_its_value() -> None:
    message = request_headers(mode=BUFFERED, end=True)
    header = message.request_headers.headers.headers.add()
    header.key, header.raw_value, header.value = "x-ai-eg-model", b"raw", "text"
    stream = Picker(*three()).stream()
    stream.receive(message)
    stream.close()
    message.request_headers.headers.headers[-1].raw_value = b""
    other = Picker(*three())
    stream2 = other.stream()
    stream2.receive(message)
    stream2.close()
    assert other.records[0].model == "text"


def test_the_newer_name_of_a_control_header_wins() -> None:
    picker = Picker(*three())
    both = {
        "x-gateway-inference-fairness-id": "old",
        "x-llm-d-inference-fairness-id": "new",
    }
    for headers in ({"x-gateway-inference-fairness-id": "old"}, both):
        stream = picker.stream()
        stream.receive(request_headers(headers=headers))
        stream.receive(request_body(PROMPT))
        stream.close()
    assert [r.fairness_id for r in picker.records] == ["old", "new"]


def test_the_gateways_model_is_trusted_over_the_body() -> None:
    headers, _ = ask(Picker(*three()), headers={"x-ai-eg-model": "set-by-the-gateway"})
    assert set(set_headers(headers)) == {DESTINATION}


def test_a_numeric_model_becomes_its_digits() -> None:
    headers, _ = ask(Picker(*three()), {"model": 123, "prompt": "x"})
    assert set_headers(headers)["x-ai-eg-model"] == "123"


def test_a_passthrough_parser_routes_what_it_cannot_read() -> None:
    config = DEFAULT.replace("plugins:\n-", "plugins:\n- type: passthrough-parser\n-", 1)
    config += "requestHandler: {parsers: [{pluginRef: passthrough-parser}]}\n"
    headers, part = ask(Picker(*three(), config=config), b"passthrough-parser")
    assert destination(headers) == B
    assert set(set_headers(headers)) == {DESTINATION}
    assert body([part]) == b"passthrough-parser"


def test_an_unknown_path_is_routed_unread() -> None:
    headers, _ = ask(Picker(*three()), b"\x00\xff not json", path="/v9/whatever")
    assert destination(headers) == B


@pytest.mark.parametrize("mode", list(BodyMode))
def test_a_request_without_a_body_is_placed_by_one_reply(mode: BodyMode) -> None:
    stream = Picker(*three()).stream()
    [reply] = stream.receive(request_headers("/v1/models", mode=mode, method="GET", end=True))
    assert reply.WhichOneof("response") == "request_headers"
    assert destination(reply) == B


# --- another model ----------------------------------------------------------------------------

REWRITE = {"x-llm-d-model-name-rewrite": "my-model-v2", "content-length": "71"}


def test_duplex_gives_back_the_body_with_the_model_that_serves() -> None:
    picker = Picker(*three())
    headers, part = ask(picker, headers=REWRITE)
    assert json.loads(body([part])) == {**PROMPT, "model": "my-model-v2"}
    assert set_headers(headers)["x-ai-eg-model"] == "my-model"
    assert list(mutation(headers).remove_headers) == ["x-llm-d-model-name-rewrite"]


def test_buffered_replaces_the_body_and_drops_its_length() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers(mode=BUFFERED, headers=REWRITE))
    [placed] = stream.receive(request_body(PROMPT))
    assert destination(placed) == B
    replaced = placed.request_body.response.body_mutation
    assert replaced.WhichOneof("mutation") == "body"
    assert json.loads(replaced.body) == {**PROMPT, "model": "my-model-v2"}
    assert set(mutation(placed).remove_headers) == {"x-llm-d-model-name-rewrite", "content-length"}


def test_both_models_are_counted() -> None:
    picker = Picker(*three())
    stream = picker.stream()
    stream.receive(request_headers(headers=REWRITE))
    stream.receive(request_body(PROMPT))
    stream.close()
    [record] = picker.records
    assert (record.model, record.target_model) == ("my-model", "my-model-v2")


# --- refusals ---------------------------------------------------------------------------------


def refused(picker: Picker, content: Any = PROMPT, **headers: Any) -> Refusal:
    replies = ask(picker, content, **headers)
    assert len(replies) == 1, "nothing goes out beside a refusal"
    return Refusal(replies)


def test_a_body_that_is_not_json_is_400() -> None:
    refusal = refused(Picker(*three()), b"no healthy upstream")
    assert refusal.status == 400
    assert refusal.error["type"] == "invalid_request_error"
    assert refusal.reason == "rejected-malformed"
    assert "no healthy upstream" not in refusal.error["message"]


def test_a_body_without_a_model_is_400_and_says_which_parameter() -> None:
    refusal = refused(Picker(*three()), {"prompt": "test"})
    assert (refusal.status, refusal.error["param"]) == (400, "model")


def test_a_buffered_body_without_a_model_is_400_too() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers(mode=BUFFERED))
    refusal = Refusal(stream.receive(request_body({"prompt": "test"})))
    assert (refusal.status, refusal.error["param"]) == (400, "model")


@pytest.mark.parametrize("model", ["a\r\nx-evil: 1", "a\x00b", "m" * 257, "ü" * 129])
@pytest.mark.parametrize("where", ["body", "header"])
def test_a_model_that_no_header_should_carry_is_400(model: str, where: str) -> None:
    picker = Picker(*three())
    if where == "body":
        refusal = refused(picker, {**PROMPT, "model": model})
    else:
        refusal = refused(picker, headers={"x-ai-eg-model": model})
    assert (refusal.status, refusal.error["param"]) == (400, "model")


@pytest.mark.parametrize("mode", list(BodyMode))
def test_no_pods_is_503_without_a_body(mode: BodyMode) -> None:
    stream = Picker().stream()
    refusal = Refusal(
        stream.receive(request_headers("/v1/models", mode=mode, method="GET", end=True))
    )
    assert (refusal.status, refusal.reason) == (503, "rejected-no-endpoints")


def test_no_pods_is_503_with_a_body() -> None:
    refusal = refused(Picker())
    assert (refusal.status, refusal.reason) == (503, "rejected-no-endpoints")
    assert refusal.error["type"] == "server_error"


@pytest.mark.parametrize("mode", [BUFFERED, DUPLEX])
def test_a_body_over_the_cap_is_413(mode: BodyMode) -> None:
    stream = Picker(*three(), settings=ConversationSettings(max_body_bytes=50)).stream()
    stream.receive(request_headers(mode=mode))
    refusal = Refusal(stream.receive(request_body({**PROMPT, "prompt": "x" * 50})))
    assert (refusal.status, refusal.reason) == (413, "rejected-too-large")
    assert stream.finished
    assert stream.receive(request_body(b"more", end=False)) == []


def test_a_body_that_cannot_be_expanded_needs_a_header_that_names_its_model() -> None:
    zipped = {"content-encoding": "compress"}
    assert refused(Picker(*three()), b"\x1f\x8b", headers=zipped).status == 415
    headers, _ = ask(Picker(*three()), b"\x1f\x8b", headers={**zipped, "x-ai-eg-model": "m"})
    assert destination(headers) == B


def test_filters_that_leave_nobody_are_503_and_saturation_is_429_with_retry_after() -> None:
    def only(plugin: str) -> str:
        return f"{HEADER}plugins:\n- {plugin}\nschedulingProfiles:\n- name: default\n  plugins:\n"

    label = only("{type: label-selector-filter, parameters: {matchLabels: {zone: moon}}}")
    refusal = refused(Picker(*three(), config=label + "  - {pluginRef: label-selector-filter}\n"))
    assert (refusal.status, refusal.reason) == (503, "rejected-no-endpoints")
    full = only(
        "{type: utilization-filter, parameters: "
        "{conditions: [{metric: kv-cache-utilization, maxValue: 0.05}]}}"
    )
    refusal = refused(Picker(*three(), config=full + "  - {pluginRef: utilization-filter}\n"))
    assert (refusal.status, refusal.reason) == (429, "rejected-saturated")
    assert int(refusal.headers["retry-after"]) >= 1


def test_a_bug_is_500_and_never_an_ok_close(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(Router, "route", broken)
    stream = Picker(*three()).stream()
    stream.receive(request_headers())
    refusal = Refusal(stream.receive(request_body(PROMPT)))
    assert refusal.status == 500
    assert "boom" not in refusal.error["message"]
    assert stream.finished


def test_a_message_out_of_order_is_500() -> None:
    stream = Picker(*three()).stream()
    assert Refusal(stream.receive(request_body(PROMPT))).status == 500


def test_a_body_mode_of_the_future_is_500() -> None:
    message = request_headers()
    message.protocol_config.request_body_mode = 5  # type: ignore[assignment]
    assert Refusal(Picker(*three()).stream().receive(message)).status == 500


# --- subset -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subset", "expected"),
    [
        ([A, B, C], B),
        ([C], C),
        (["192.168.1.3"], C),
        ([A, 7, C], A),
        ("192.168.1.1:8000, ,192.168.1.3:8000", A),
        ([f"{A}, {C}"], A),
    ],
)
def test_the_choice_is_made_inside_the_proxys_subset(subset: object, expected: str) -> None:
    headers, _ = ask(Picker(*three()), subset=subset)
    assert destination(headers) == expected


@pytest.mark.parametrize("subset", [[], "", ["10.9.9.9:8000"], [7], ["192.168.1.3:9999"]])
def test_a_subset_without_a_match_is_503(subset: object) -> None:
    refusal = refused(Picker(*three()), subset=subset)
    assert (refusal.status, refusal.reason) == (503, "rejected-no-endpoints")


def test_an_ip_in_the_subset_stands_for_all_its_ports() -> None:
    picker = Picker(pod("10.0.0.1:8000", 9), pod("10.0.0.1:8001", 0), pod("10.0.0.2:8000", 0))
    assert destination(ask(picker, subset=["10.0.0.1"])[0]) == "10.0.0.1:8001"
    assert destination(ask(picker, subset=["10.0.0.1:8000"])[0]) == "10.0.0.1:8000"


def test_an_ipv6_subset_matches_with_and_without_brackets() -> None:
    picker = Picker(pod("[fd00::1]:8000"), pod("[fd00::2]:8000"))
    for hint in ("[fd00::2]:8000", "[fd00::2]", "fd00::2"):
        assert destination(ask(picker, subset=[hint])[0]) == "[fd00::2]:8000"


def test_the_subset_may_come_with_the_body() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers())
    message = request_body(PROMPT)
    message.metadata_context.CopyFrom(request_headers(subset=[C]).metadata_context)
    assert destination(stream.receive(message)[0]) == C


def test_a_testing_header_chooses_but_only_inside_the_subset() -> None:
    config = (
        HEADER
        + "plugins:\n- type: header-based-testing-filter\nschedulingProfiles:\n- name: default\n"
        + "  plugins:\n  - {pluginRef: header-based-testing-filter}\n"
    )
    picker = Picker(*three(), config=config)
    pinned = {"test-epp-endpoint-selection": "192.168.1.3"}
    assert destination(ask(picker, headers=pinned)[0]) == C
    assert destination(ask(picker, headers=pinned, subset=[B, C])[0]) == C
    assert refused(picker, headers=pinned, subset=[A, B]).status == 503


# --- buffered ---------------------------------------------------------------------------------


def test_buffered_headers_are_answered_at_once_and_the_body_reply_carries_the_choice() -> None:
    stream = Picker(*three()).stream()
    [headers] = stream.receive(request_headers(mode=BUFFERED))
    assert destination(headers) is None
    [placed] = stream.receive(request_body(PROMPT))
    assert destination(placed) == B
    assert not placed.request_body.response.HasField("body_mutation")


def test_buffered_with_trailers_is_answered_at_the_body_and_again_at_the_trailers() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers(mode=BUFFERED))
    [placed] = stream.receive(request_body(PROMPT, end=False))
    assert destination(placed) == B
    assert kinds(stream.receive(request_trailers())) == ["request_trailers"]


def test_buffered_asks_for_a_streamed_answer_with_its_first_reply() -> None:
    stream = Picker(*three()).stream()
    [headers] = stream.receive(request_headers(mode=BUFFERED))
    assert headers.mode_override.response_body_mode == BodyMode.STREAMED.value
    assert headers.mode_override.request_body_mode == BodyMode.BUFFERED.value
    silent = Picker(
        *three(), settings=ConversationSettings(sampler=Sampler(Level.HEADERS, 1))
    ).stream()
    [headers] = silent.receive(request_headers(mode=BUFFERED))
    assert headers.HasField("mode_override")
    assert headers.mode_override.response_body_mode == BodyMode.NONE.value


@pytest.mark.parametrize("honoured", [True, False])
def test_an_answer_passes_whether_or_not_the_override_was_honoured(honoured: bool) -> None:
    picker = Picker(*three())
    stream = picker.stream()
    stream.receive(request_headers(mode=BUFFERED))
    stream.receive(request_body(PROMPT))
    assert kinds(stream.receive(response_headers(content_type="text/event-stream"))) == [
        "response_headers"
    ]
    parts = [*SSE, b""] if honoured else [b"".join(SSE)]
    for n, part in enumerate(parts):
        replies = stream.receive(response_body(part, end=n == len(parts) - 1))
        assert kinds(replies) == ["response_body"]
        assert not replies[0].response_body.HasField("response")
    stream.close()
    assert (picker.records[0].prompt_tokens, picker.records[0].completion_tokens) == (7, 10)


def test_an_answer_whose_body_is_not_shown_is_answered_by_its_headers_alone() -> None:
    picker = Picker(*three(), settings=ConversationSettings(sampler=Sampler(Level.HEADERS, 1)))
    stream = picker.stream()
    stream.receive(request_headers(mode=BUFFERED))
    stream.receive(request_body(PROMPT))
    assert kinds(stream.receive(response_headers())) == ["response_headers"]
    stream.close()
    assert (picker.records[0].status, picker.records[0].endpoint) == (200, B)


def test_a_body_that_may_be_cut_short_is_routed_without_being_read() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers(mode=BodyMode.BUFFERED_PARTIAL))
    [placed] = stream.receive(request_body(b'{"model": "my-mo', end=False))
    assert destination(placed) == B
    assert set(set_headers(placed)) == {DESTINATION}


def test_a_streamed_body_is_routed_by_its_headers_and_each_chunk_acknowledged() -> None:
    stream = Picker(*three()).stream()
    [placed] = stream.receive(request_headers(mode=BodyMode.STREAMED))
    assert destination(placed) == B
    for end in (False, True):
        [reply] = stream.receive(request_body(b"chunk", end=end))
        assert kinds([reply]) == ["request_body"]
        assert not reply.request_body.HasField("response")


def test_an_ipv6_destination_is_in_brackets() -> None:
    assert destination(ask(Picker(pod("[fd00::1]:8000")))[0]) == "[fd00::1]:8000"


def test_the_route_is_not_chosen_anew() -> None:
    headers, _ = ask(Picker(*three()))
    assert not headers.request_headers.response.clear_route_cache, (
        "it could lead to another pool, whose cluster would follow the destination"
    )


def test_duplex_asks_for_no_override() -> None:
    headers, _ = ask(Picker(*three()))
    assert not headers.HasField("mode_override")


def test_a_buffered_stream_takes_a_spoofed_destination_out_before_it_knows_its_own() -> None:
    stream = Picker(*three()).stream()
    [headers] = stream.receive(
        request_headers(mode=BUFFERED, headers={DESTINATION: "203.0.113.9:80"})
    )
    assert list(mutation(headers).remove_headers) == [DESTINATION]


def test_duplex_with_request_trailers() -> None:
    stream = Picker(*three()).stream()
    stream.receive(request_headers())
    assert stream.receive(request_body(PROMPT, end=False)) == []
    replies = stream.receive(request_trailers())
    assert kinds(replies) == ["request_headers", "request_body", "request_trailers"]
    assert destination(replies[0]) == B


def test_a_proxy_that_does_not_say_its_mode_gets_the_configured_one() -> None:
    stream = Picker(*three()).stream()
    assert stream.receive(request_headers(mode=None)) == []
    [headers, _] = stream.receive(request_body(PROMPT))
    assert destination(headers) == B


# --- the answer -------------------------------------------------------------------------------


def answered(picker: Picker, *messages: Any) -> list[Any]:
    """Route a request, then play the answer; return the replies to the answer."""
    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    replies = [reply for message in messages for reply in stream.receive(message)]
    stream.close()
    return replies


def test_an_answer_in_chunks_passes_unchanged_without_a_request_phase() -> None:
    stream = Picker(*three()).stream()
    replies = stream.receive(response_headers(mode=DUPLEX))
    replies += stream.receive(response_body(b'{"max_tokens":100,"model":"sql-lo'))
    replies += stream.receive(response_body(b'ra-sheddable","prompt":"test6"}', end=True))
    assert kinds(replies) == ["response_headers", "response_body", "response_body*"]
    assert body(replies) == b'{"max_tokens":100,"model":"sql-lora-sheddable","prompt":"test6"}'


def test_an_answer_that_is_not_json_passes_unchanged() -> None:
    picker = Picker(*three())
    replies = answered(picker, response_headers(), response_body(b"no healthy upstream", end=True))
    assert body(replies) == b"no healthy upstream"
    assert picker.records[0].prompt_tokens is None


def test_an_answer_may_end_with_an_empty_chunk() -> None:
    replies = answered(
        Picker(*three()),
        response_headers(),
        response_body(b'{"usage": {"prompt_tokens": 3}}'),
        response_body(b"", end=True),
    )
    assert kinds(replies) == ["response_headers", "response_body", "response_body*"]
    assert body(replies[-1:]) == b""


SSE = [
    b'data: {"id":"c","choices":[{"text":"hi"}],"usage":null}\n\n',
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":7,"total_tokens":17,'
    b'"completion_tokens":10}}\n\ndata: [DONE]\n\n',
]


def test_tokens_of_a_streamed_answer_are_counted_and_its_chunks_echoed() -> None:
    picker = Picker(*three())
    replies = answered(
        picker,
        response_headers(content_type="text/event-stream"),
        response_body(SSE[0]),
        response_body(SSE[1]),
        response_body(b"", end=True),
    )
    assert kinds(replies) == ["response_headers", *["response_body"] * 2, "response_body*"]
    assert body(replies) == b"".join(SSE)
    [record] = picker.records
    assert (record.prompt_tokens, record.completion_tokens) == (7, 10)
    assert (record.streaming, record.status, record.endpoint) == (True, 200, B)


def test_usage_and_done_in_separate_chunks_are_counted_once() -> None:
    usage = b'data: {"usage":{"prompt_tokens":5,"completion_tokens":10,"total_tokens":15}}\n\n'
    picker = Picker(*three())
    answered(
        picker,
        response_headers(content_type="text/event-stream"),
        response_body(usage),
        response_body(b"data: [DONE]\n\n"),
        response_body(b"", end=True),
    )
    [record] = picker.records
    assert (record.prompt_tokens, record.completion_tokens) == (5, 10)


def test_an_event_cut_anywhere_is_counted() -> None:
    whole = b"".join(SSE)
    picker = Picker(*three())
    for cut in range(len(whole)):
        answered(
            picker,
            response_headers(content_type="text/event-stream"),
            response_body(whole[:cut]),
            response_body(whole[cut:], end=True),
        )
        assert picker.records[-1].completion_tokens == 10


def test_replies_to_an_answer_carry_no_metadata() -> None:
    replies = answered(
        Picker(*three()),
        response_headers(content_type="text/event-stream"),
        response_body(SSE[1]),
        response_body(b"", end=True),
    )
    assert not any(reply.HasField("dynamic_metadata") for reply in replies)


def test_a_session_is_told_to_the_client_with_the_answer() -> None:
    config = (
        HEADER
        + "plugins:\n- type: session-affinity-scorer\nschedulingProfiles:\n- name: default\n"
        + "  plugins:\n  - {pluginRef: session-affinity-scorer}\n"
    )
    for mode in (DUPLEX, BUFFERED):
        stream = Picker(pod(A), config=config).stream()
        stream.receive(request_headers(mode=mode))
        stream.receive(request_body(PROMPT))
        [headers] = stream.receive(response_headers())
        assert set(set_headers(headers)) == {"x-session-token"}


def test_response_trailers_follow_an_open_last_chunk() -> None:
    replies = answered(
        Picker(*three()), response_headers(), response_body(b"frame"), response_trailers()
    )
    assert kinds(replies) == ["response_headers", "response_body", "response_trailers"]


def test_a_proxys_own_answer_before_the_body_is_credited_to_nobody() -> None:
    picker = Picker(*three())
    stream = picker.stream()
    stream.receive(request_headers(mode=BUFFERED))
    assert kinds(stream.receive(response_headers(413, "text/plain"))) == ["response_headers"]
    assert kinds(stream.receive(response_body(b"Payload Too Large", end=True))) == ["response_body"]
    stream.close()
    assert picker.records == []


# --- the life of a stream ---------------------------------------------------------------------

ACTIVE = (
    HEADER
    + "plugins:\n- type: active-request-scorer\nschedulingProfiles:\n- name: default\n"
    + "  plugins:\n  - {pluginRef: active-request-scorer}\n"
)


def test_what_a_request_holds_is_given_back_when_its_stream_ends_and_only_once() -> None:
    picker = Picker(pod(A), pod(B), config=ACTIVE)
    first = picker.stream()
    first.receive(request_headers())
    taken = destination(first.receive(request_body(PROMPT))[0])
    assert {destination(ask(picker)[0]) for _ in range(1)} == {A, B} - {taken}
    first.close()
    first.close()
    assert len(picker.records) == 1
    assert destination(ask(picker)[0]) == taken


def test_requests_of_one_turn_spread() -> None:
    picker = Picker(*(pod(f"10.0.0.{n}:8000") for n in range(4)), config=ACTIVE)
    picked = Counter(destination(ask(picker)[0]) for _ in range(8))
    assert picked == {f"10.0.0.{n}:8000": 2 for n in range(4)}


def test_a_stream_that_ends_before_an_answer_is_reported_as_unanswered() -> None:
    picker = Picker(*three())
    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    stream.close()
    [record] = picker.records
    assert (record.status, record.endpoint) == (0, B)


def test_after_its_end_a_stream_answers_nothing() -> None:
    stream = Picker(*three()).stream()
    stream.close()
    assert stream.receive(request_headers(end=True)) == []
    assert stream.finished


def test_a_stream_that_never_asked_for_anything_is_not_reported() -> None:
    picker = Picker(*three())
    stream = picker.stream()
    stream.receive(request_headers())
    stream.close()
    assert picker.records == []


def test_times_are_taken_at_start_choice_first_byte_and_end() -> None:
    picker = Picker(*three())
    stream = picker.stream()
    picker.clock.now = 101.0
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    picker.clock.now = 102.0
    stream.receive(response_headers())
    stream.receive(response_body(b""))
    picker.clock.now = 103.0
    stream.receive(response_body(b"x"))
    picker.clock.now = 104.0
    stream.receive(response_body(b"y", end=True))
    stream.close()
    [record] = picker.records
    times = (record.started_at, record.routed_at, record.first_byte_at, record.ended_at)
    assert times == (100.0, 101.0, 103.0, 104.0)
    assert (record.request_bytes, record.response_bytes) == (70, 2)


# --- asked twice ------------------------------------------------------------------------------


def test_a_second_filter_gets_the_first_ones_choice_and_counts_nothing() -> None:
    picker = Picker(*(pod(f"10.0.0.{n}:8000") for n in range(4)), config=ACTIVE)
    outer, inner = picker.stream(), picker.stream()
    outer.receive(request_headers())
    picked = destination(outer.receive(request_body(PROMPT))[0])
    assert picked is not None
    inner.receive(request_headers(headers={DESTINATION: picked, "x-ai-eg-model": "my-model"}))
    again = inner.receive(request_body(PROMPT))
    assert destination(again[0]) == picked
    for stream in (inner, outer):
        stream.receive(response_headers())
        stream.receive(response_body(b"{}", end=True))
        stream.close()
    assert len(picker.records) == 1


def test_a_choice_is_not_repeated_once_its_request_is_over() -> None:
    picker = Picker(pod(A), pod(B, 5))
    stream = picker.stream()
    stream.receive(request_headers())
    assert destination(stream.receive(request_body(PROMPT))[0]) == A
    stream.close()
    late = ask(picker, headers={DESTINATION: B})
    assert destination(late[0]) == A


def test_a_choice_is_not_repeated_once_its_endpoint_is_gone() -> None:
    picker = Picker(pod(A), pod(B, 5))
    stream = picker.stream()
    stream.receive(request_headers())
    assert destination(stream.receive(request_body(PROMPT))[0]) == A
    picker.store.replace([pod(B)])
    assert destination(ask(picker, headers={DESTINATION: A})[0]) == B


def test_nobody_follows_a_destination_that_was_issued_to_another_request() -> None:
    picker = Picker(pod(A), pod(B, 5))
    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    other = ask(picker, headers=[(DESTINATION, "203.0.113.9:80"), ("x-request-id", "other")])
    assert destination(other[0]) == A


def test_without_a_request_id_no_choice_is_recognised() -> None:
    picker = Picker(pod(A), pod(B), config=ACTIVE)
    nameless = [("x-request-id", "")]
    first = picker.stream()
    first.receive(request_headers(headers=nameless))
    taken = destination(first.receive(request_body(PROMPT))[0])
    assert taken is not None
    other = ask(picker, headers=[*nameless, (DESTINATION, taken)])
    assert {destination(other[0])} == {A, B} - {taken}


def test_a_choice_is_not_repeated_outside_the_subset_of_the_second_call() -> None:
    picker = Picker(pod(A), pod(B, 5))
    outer = picker.stream()
    outer.receive(request_headers())
    assert destination(outer.receive(request_body(PROMPT))[0]) == A
    assert destination(ask(picker, headers={DESTINATION: A}, subset=[A])[0]) == A
    assert destination(ask(picker, headers={DESTINATION: A}, subset=[B])[0]) == B


# --- only watched -----------------------------------------------------------------------------


def test_a_proxy_that_hears_no_reply_is_given_none_and_nothing_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    picker = Picker(*three())
    stream = picker.stream()
    messages = [request_headers(mode=BUFFERED), request_body(PROMPT), response_headers()]
    for message in messages:
        message.observability_mode = True
        assert stream.receive(message) == []
    assert not stream.finished
    stream.close()
    assert picker.records == []
    assert [r.message for r in caplog.records] == [
        "the proxy is in observability_mode: the picker cannot choose for it"
    ]


# --- where messages are cut never matters -----------------------------------------------------


def test_every_cut_of_a_request_gives_the_same_replies() -> None:
    content = b'{"model": "my-model", "prompt": "test1"}'
    whole = ask(Picker(*three()), content)
    for first, second in pairwise(range(0, len(content) + 1, 7)):
        stream = Picker(*three()).stream()
        stream.receive(request_headers())
        stream.receive(request_body(content[:first], end=False))
        stream.receive(request_body(content[first:second], end=False))
        assert stream.receive(request_body(content[second:])) == whole
