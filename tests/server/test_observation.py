from __future__ import annotations

import pytest

from epp.exchange.events import (
    HeaderOnlyResponse,
    Refused,
    ResponseBody,
    ResponseHeaders,
    ResponseLastBody,
    ResponseTrailers,
    Routed,
)
from epp.pool.endpoint import Endpoint
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.query import Query
from epp.scheduling.roll import Roll
from epp.scheduling.scheduler import Reservation
from epp.server.observation import Observation
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record
from tests.server.picker import Clock, Records

POD = Endpoint("10.0.0.1:8000", generation=1)
ROUTED = Routed([("x-gateway-destination-endpoint", POD.address)])
JSON = ResponseHeaders({":status": "200", "content-type": "application/json"})
SSE = ResponseHeaders({":status": "200", "content-type": "text/event-stream"})
USAGE = b'{"usage": {"prompt_tokens": 3, "completion_tokens": 5}}'
ANSWER = (
    b'{"model": "m-told", "usage": {"prompt_tokens": 3, "completion_tokens": 5,'
    b' "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},'
    b' "completion_tokens_details": {"reasoning_tokens": 4}}}'
)


class Ledger:
    """A producer that keeps the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.first_tokens: list[float] = []

    def produce(self, *_: object) -> None: ...
    def reserve(self, *_: object) -> None: ...
    def forget(self, *_: object) -> None: ...
    def first_token(self, _query: object, _decision: object, _held: object, now: float) -> None:
        self.first_tokens.append(now)

    def release(
        self, _query: object, _decision: object, _held: object, outcome: Outcome, _now: float
    ) -> None:
        self.outcomes.append(outcome)


class Stream:
    """One observed stream, with a clock and all that is told of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger()
        self.in_flight = InFlight()
        self.metrics = Metrics(clock=self.clock)
        self.observer = Records(self.metrics, Decisions(1), self.in_flight)
        self.observed = Observation(self.observer, self.clock())

    def place(self) -> None:
        decision = Decision(self.clock(), "default", (POD,), (POD,), totals=(1.0,))
        roll = Roll({"ledger": self.ledger})
        reservation = Reservation(Query(facts={"ledger": None}), decision, roll)
        labels = Labels("m", "m-served", "team", -1, "chat")
        placement = Placement(labels, ROUTED, reservation)
        self.observed.placed(placement, self.clock(), self.clock())

    def see(self, *events: object) -> None:
        for event in events:
            self.observed.response(event, self.clock)  # type: ignore[arg-type]

    def end(self) -> None:
        self.observed.end(self.clock())


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_a_request_is_reported_once_with_all_that_was_seen(stream: Stream) -> None:
    stream.place()
    assert stream.in_flight.by_address() == {POD.address: 1}
    stream.see(JSON, ResponseBody(ANSWER[:20]), ResponseLastBody(ANSWER[20:]))
    stream.observed.end(stream.clock(), 7)
    stream.observed.end(stream.clock(), 8)
    [record] = stream.observer.records
    assert record == Record(
        model="m",
        target_model="m-served",
        response_model="m-told",
        operation="chat",
        fairness_id="team",
        priority=-1,
        status=200,
        started_at=100.0,
        routed_at=100.0,
        first_byte_at=100.0,
        ended_at=100.0,
        request_bytes=7,
        response_bytes=len(ANSWER),
        prompt_tokens=3,
        completion_tokens=5,
        cached_tokens=2,
        cache_creation_tokens=1,
        reasoning_tokens=4,
        endpoint=POD.address,
    )
    assert stream.ledger.outcomes == [Outcome(200, True, 3, 5, 2)]
    assert stream.in_flight.by_address() == {}


@pytest.mark.parametrize(
    ("ending", "completed"),
    [
        ([HeaderOnlyResponse({":status": "200"})], True),
        ([SSE], False),
        ([SSE, ResponseBody(b"data: x\n\n")], False),
        ([SSE, ResponseBody(b"data: x\n\n"), ResponseLastBody(b"")], True),
        ([SSE, ResponseBody(b"data: x\n\n"), ResponseTrailers()], True),
        ([], False),
    ],
)
def test_an_answer_is_complete_when_its_end_was_seen(
    stream: Stream, ending: list[object], completed: bool
) -> None:
    stream.place()
    stream.see(*ending)
    stream.end()
    assert [outcome.completed for outcome in stream.ledger.outcomes] == [completed]


def test_usage_that_lacks_its_last_line_break_is_read_at_the_end(stream: Stream) -> None:
    stream.place()
    stream.see(SSE, ResponseLastBody(b"data: " + USAGE))
    stream.end()
    assert stream.observer.records[0].completion_tokens == 5
    assert stream.observer.records[0].streaming


@pytest.mark.parametrize(
    ("ending", "tokens"),
    [([ResponseLastBody(b"")], 2), ([], None)],
    ids=["whole", "cut"],
)
def test_tokens_of_a_stream_without_usage_are_counted(
    stream: Stream, ending: list[object], tokens: int | None
) -> None:
    word = b'data: {"choices": [{"index": 0, "text": "a"}]}\n\n'
    stream.place()
    stream.see(SSE, ResponseBody(word), ResponseBody(word), *ending)
    stream.end()
    assert [outcome.completion_tokens for outcome in stream.ledger.outcomes] == [tokens]
    assert stream.observer.records[0].completion_tokens is None  # what is billed is the server's


def test_an_answer_to_nothing_that_was_placed_is_credited_to_nobody(stream: Stream) -> None:
    stream.see(JSON, ResponseLastBody(USAGE))
    stream.end()
    assert stream.observer.records == []


def test_a_refusal_is_reported_with_its_status_and_reason(stream: Stream) -> None:
    refused = Refused(503, "none", "rejected-no-endpoints")
    stream.observed.placed(Placement(Labels("m", "m"), refused), stream.clock(), stream.clock())
    stream.observed.refused(refused)
    stream.end()
    [record] = stream.observer.records
    assert (record.status, record.reason, record.routed_at) == (503, refused.reason, None)


def test_a_request_that_was_placed_before_is_not_counted_again(stream: Stream) -> None:
    stream.observed.placed(Placement(Labels("m", "m"), ROUTED), stream.clock(), stream.clock())
    stream.see(JSON, ResponseLastBody(USAGE))
    stream.end()
    assert stream.observer.records == []


@pytest.mark.parametrize("status", ["", "abc", "²", "-1"])
def test_a_status_that_is_no_number_is_none(stream: Stream, status: str) -> None:
    stream.place()
    stream.see(ResponseHeaders({":status": status}), ResponseLastBody(b""))
    stream.end()
    assert stream.observer.records[0].status == 0


def test_the_first_byte_is_the_first_of_the_body(stream: Stream) -> None:
    stream.place()
    for now, event in enumerate([SSE, ResponseBody(b""), ResponseBody(b"a"), ResponseBody(b"b")]):
        stream.clock.now = 200.0 + now
        stream.see(event)
    stream.end()
    assert stream.observer.records[0].first_byte_at == 202.0


def test_streams_are_counted_in_and_out(stream: Stream) -> None:
    other = Observation(stream.observer, stream.clock())
    assert repr(stream.metrics).endswith("2 streams>")
    stream.end()
    stream.end()
    assert repr(stream.metrics).endswith("1 streams>")
    other.end(stream.clock())
    assert repr(stream.metrics).endswith("0 streams>")


def test_the_outcome_tells_how_fast_the_tokens_came(stream: Stream) -> None:
    stream.observed = Observation(stream.observer, 90.0)
    stream.place()  # at 100
    token = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
    role = b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n'
    stream.see(SSE)
    stream.clock.now = 102.0
    stream.see(ResponseBody(role))
    for now in (103.0, 105.0, 107.0):
        stream.clock.now = now
        stream.see(ResponseBody(token))
    stream.end()
    [outcome] = stream.ledger.outcomes
    assert (outcome.ttft_s, outcome.itl_s) == (3.0, 2.0)
    [record] = stream.observer.records
    assert (record.ttft_s, record.itl_s) == (13.0, 2.0), "the wait in the picker included"


def test_json_tells_nothing_of_the_speed_of_its_tokens(stream: Stream) -> None:
    stream.place()
    stream.see(JSON, ResponseLastBody(USAGE))
    stream.end()
    assert stream.ledger.outcomes == [Outcome(200, True, 3, 5, None, None, None)]
