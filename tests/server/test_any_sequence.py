"""Whatever messages come, in whatever order: no exception, no illegal reply, nothing held."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight
from epp.scheduling.query import Query
from epp.server.conversation import Conversation, ConversationSettings
from tests.server.envoy import (
    BUFFERED,
    DESTINATION,
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
)
from tests.server.picker import HEADER, Picker, pod
from tests.server.proxy import Proxy

CONFIG = (
    HEADER
    + """
plugins:
- type: active-request-scorer
- type: prefix-cache-scorer
- type: session-affinity-scorer
schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: active-request-scorer}
  - {pluginRef: prefix-cache-scorer}
  - {pluginRef: session-affinity-scorer}
"""
)
POOL = ["10.0.0.1:8000", "[fd00::1]:8000"]
SETTINGS = ConversationSettings(max_body_bytes=200)


def picker_of(*addresses: str) -> Picker:
    return Picker(*(pod(address) for address in addresses), config=CONFIG, settings=SETTINGS)


BODIES = [
    b'{"model": "m", "prompt": "hello"}',
    b'{"prompt": "no model"}',
    b'{"model": "a\\r\\nb", "prompt": "x"}',
    b"not json",
    b"",
    b"x" * 201,
]
SPOOFED = {DESTINATION: "203.0.113.9:80"}
CLIENTS = [{}, SPOOFED, {**SPOOFED, "x-request-id": ""}, {"x-ai-eg-model": "m"}]

modes = st.tuples(st.sampled_from(BodyMode), st.sampled_from(BodyMode))
pools = st.sampled_from([POOL, []])
clients = st.sampled_from(CLIENTS)
subsets = st.sampled_from([None, POOL, POOL[:1], []])


def opened(message: pb.ProcessingRequest, both: tuple[BodyMode, BodyMode]) -> pb.ProcessingRequest:
    """Make `message` the first of its stream."""
    message.protocol_config.request_body_mode = both[0]  # type: ignore[assignment]
    message.protocol_config.response_body_mode = both[1]  # type: ignore[assignment]
    message.metadata_context.SetInParent()
    return message


def check_nothing_is_held(picker: Picker, stream: Conversation) -> None:
    stream.close()
    stream.close()
    assert picker.in_flight.by_address() == {}
    assert picker.metrics._running == {}
    assert picker.metrics._streams == 0
    assert len(picker.router._issued) == 0
    assert picker.scheduler.producers[INFLIGHT].produce(Query(), ()) == InFlight({})
    assert len(picker.records) <= 1


# --- messages as Envoy sends them -------------------------------------------------------------


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


@st.composite
def requests(draw: st.DrawFn, mode: BodyMode) -> list[pb.ProcessingRequest]:
    """Return the request half of a stream; it may break off anywhere."""
    client, subset = draw(clients), draw(subsets)
    ending = draw(st.sampled_from(["headers", "body", "trailers"]))
    method = "GET" if ending == "headers" else "POST"
    messages = [
        request_headers(
            mode=None, method=method, end=ending == "headers", headers=client, subset=subset
        )
    ]
    body = draw(st.sampled_from(BODIES))
    if ending != "headers" and mode is not BodyMode.NONE:
        cuts = draw(st.lists(st.integers(0, 40), max_size=3))
        parts = [body] if mode in {BUFFERED, BodyMode.BUFFERED_PARTIAL} else pieces(body, cuts)
        if ending == "trailers" and not body:
            parts = []
        messages += [request_body(part, end=False) for part in parts]
        if ending == "body":
            messages[-1].request_body.end_of_stream = True
    if ending == "trailers":
        messages.append(request_trailers())
    return messages


@st.composite
def responses(draw: st.DrawFn, mode: BodyMode) -> list[pb.ProcessingRequest]:
    """Return the response half of a stream."""
    ending = draw(st.sampled_from(["headers", "body", "trailers"]))
    status = draw(st.sampled_from([200, 413, 503]))
    kind = draw(st.sampled_from(["application/json", "text/event-stream"]))
    messages = [response_headers(status, kind, end=ending == "headers")]
    if ending != "headers" and mode is not BodyMode.NONE:
        body = draw(
            st.sampled_from([b'data: {"usage":{"prompt_tokens":1}}\n\n', b"{}", b"x" * 70_000])
        )
        cuts = draw(st.lists(st.integers(0, 40), max_size=3))
        messages += [response_body(part) for part in pieces(body, cuts)]
        if ending == "body":
            messages[-1].response_body.end_of_stream = True
    if ending == "trailers":
        messages.append(response_trailers())
    return messages


@given(st.data(), modes, pools)
def test_every_reply_is_legal_and_no_request_goes_where_the_client_wants(
    data: st.DataObject, both: tuple[BodyMode, BodyMode], pool: list[str]
) -> None:
    request, response = data.draw(requests(both[0])), data.draw(responses(both[1]))
    asked = data.draw(st.integers(0, len(request)))
    messages = request[:asked] + response[: data.draw(st.integers(0, len(response)))]
    if not messages:
        return
    opened(messages[0], both)
    picker = picker_of(*pool)
    stream, proxy = picker.stream(), Proxy(both)
    for message in messages:
        proxy.send(message)
        proxy.take(stream.receive(message))
        assert stream.finished == proxy.refused
        if proxy.refused:
            break
        assert both[0] is BodyMode.FULL_DUPLEX_STREAMED or proxy.request.settled()
        assert proxy.response.settled(), "an answer is held back"
        if proxy.let_go():
            proxy.check_upstream(pool)
    if asked == len(request) and not proxy.refused:
        assert proxy.request.settled(), "a request is held back"
        assert proxy.let_go()
    check_nothing_is_held(picker, stream)


# --- messages as a broken proxy sends them ----------------------------------------------------

strange = st.builds(
    lambda make, end: make(end),
    st.sampled_from(
        [
            lambda end: request_headers(mode=None, headers=SPOOFED, end=end),
            lambda end: request_headers(headers=SPOOFED, end=end),
            lambda end: request_body(BODIES[0], end=end),
            lambda end: request_body(b"", end=end),
            lambda _: request_trailers(),
            lambda end: response_headers(end=end),
            lambda end: response_body(b"data", end=end),
            lambda _: response_trailers(),
            lambda _: pb.ProcessingRequest(),
            lambda end: pb.ProcessingRequest(observability_mode=end),
        ]
    ),
    st.booleans(),
)


@given(modes, pools, st.lists(strange, min_size=1, max_size=8))
def test_messages_in_any_order_have_at_most_one_outcome(
    both: tuple[BodyMode, BodyMode], pool: list[str], messages: list[pb.ProcessingRequest]
) -> None:
    opened(messages[0], both)
    picker = picker_of(*pool)
    stream = picker.stream()
    placed, refused = 0, False
    for message in messages:
        for reply in stream.receive(message):
            assert not refused
            refused = reply.HasField("immediate_response")
            placed += reply.HasField("dynamic_metadata")
        assert stream.finished == refused
    assert placed <= 1
    check_nothing_is_held(picker, stream)


# --- messages as bytes ------------------------------------------------------------------------


@given(st.data(), modes, pools)
def test_bytes_are_answered_and_reported_as_messages_are(
    data: st.DataObject, both: tuple[BodyMode, BodyMode], pool: list[str]
) -> None:
    request, response = data.draw(requests(both[0])), data.draw(responses(both[1]))
    odd = data.draw(st.lists(strange, max_size=3))
    messages = request[: data.draw(st.integers(0, len(request)))] + response
    at = data.draw(st.integers(0, len(messages)))
    messages[at:at] = odd
    opened(messages[0], both)
    by_message, by_bytes = picker_of(*pool), picker_of(*pool)
    one, other = by_message.stream(), by_bytes.stream()
    for message in messages:
        message.metadata_context.SetInParent()  # as Envoy does
        replies = [reply.SerializeToString() for reply in one.receive(message)]
        assert list(other.exchange(message.SerializeToString())) == replies
        assert one.finished == other.finished
    check_nothing_is_held(by_message, one)
    check_nothing_is_held(by_bytes, other)
    assert by_message.records == by_bytes.records
