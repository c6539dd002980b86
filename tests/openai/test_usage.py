from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.openai.answer import LIMIT_BYTES, AnswerReader
from epp.openai.usage import Usage

CAPTURED = (Path(__file__).parents[1] / "data" / "openai" / "chat-stream.sse").read_bytes()
SSE = "text/event-stream; charset=utf-8"
CHUNK = {"id": "c", "object": "chat.completion.chunk", "choices": [{"delta": {"content": "a"}}]}


def of_json(answer: Any, content_type: str = "application/json") -> Usage | None:
    reader = AnswerReader(content_type)
    reader.feed(json.dumps(answer).encode())
    reader.end()
    return reader.usage


def of_pieces(*pieces: bytes) -> AnswerReader:
    reader = AnswerReader(SSE)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    return reader


def event(data: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: %b\n\n" % json.dumps(
        data
    ).encode()


def of_events(*events: Any) -> Usage | None:
    return of_pieces(*(event(data) for data in events)).usage


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "usage"),
    [
        (
            {
                "prompt_tokens": 7,
                "completion_tokens": 3,
                "total_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(7, 3, 10, 4, None, 2),
        ),
        (
            {
                "input_tokens": 7,
                "output_tokens": 3,
                "total_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                "output_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(7, 3, 10, 4, 1, 2),
        ),
        ({"prompt_tokens": 7, "total_tokens": 7}, Usage(7, None, 7)),
        ({"prompt_tokens": "7", "completion_tokens": "3.0"}, Usage(7, 3, 10)),
        ({"prompt_tokens": 7.0, "completion_tokens": 0}, Usage(7, 0, 7)),
        ({"prompt_tokens": 7, "input_tokens": 9}, Usage(7)),
        (
            {
                "input_tokens": 7,
                "output_tokens": 3,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 5,
            },
            Usage(52, 3, 55, 40, 5),
        ),
        ({"input_tokens": 7, "cache_read_input_tokens": None}, Usage(7)),
        ({"completion_tokens": 3, "prompt_tokens_details": None}, Usage(None, 3)),
    ],
)
def test_counts_are_read_under_the_names_of_all_apis(given_: dict[str, Any], usage: Usage) -> None:
    assert of_json({"id": "x", "usage": given_}) == usage


@pytest.mark.parametrize(
    "given_",
    [
        None,
        5,
        "7",
        [7],
        {},
        {"prompt_tokens": None},
        {"prompt_tokens": True},
        {"prompt_tokens": -1},
        {"prompt_tokens": [7]},
        {"prompt_tokens": "many"},
        {"prompt_tokens": "nan"},
        {"prompt_tokens": "inf"},
        {"prompt_tokens": 1e30},
        {"prompt_tokens": 10**400},
        {"prompt_tokens_details": {"cached_tokens": "x"}},
        {"prompt_tokens_details": [1]},
        {"type": "duration", "seconds": 5},
    ],
)
def test_usage_that_makes_no_sense_is_none(given_: object) -> None:
    assert of_json({"usage": given_}) is None


def test_one_count_that_makes_no_sense_does_not_spoil_the_others() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": [], "prompt_tokens_details": 5}
    assert of_json({"usage": usage}) == Usage(7)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[1]", b'{"usage"', b"no healthy upstream", b"\xff"]
)
def test_a_body_without_usage_has_none(body: bytes) -> None:
    reader = AnswerReader("application/json")
    reader.feed(body)
    reader.feed(b' "usage" ')
    reader.end()
    assert reader.usage is None


def test_a_body_may_come_in_pieces() -> None:
    body = json.dumps({"usage": {"prompt_tokens": 7}}).encode()
    for at in range(len(body) + 1):
        reader = AnswerReader("application/json")
        for piece in (body[:at], body[at:], b""):
            reader.feed(piece)
        reader.end()
        assert (reader.usage, reader.streaming, reader.events) == (Usage(7), False, 0)


def test_a_body_over_the_limit_is_not_kept() -> None:
    body = json.dumps({"usage": {"prompt_tokens": 7}}).encode()
    for limit, usage in ((len(body), Usage(7)), (len(body) - 1, None)):
        reader = AnswerReader("application/json", limit)
        for byte in body:
            reader.feed(bytes([byte]))
        assert len(reader._body) <= limit
        reader.end()
        assert reader.usage == usage
        assert not reader._body


@pytest.mark.parametrize(
    ("content_type", "kept"),
    [
        ("", True),
        ("application/JSON", True),
        ("application/problem+json", True),
        ("audio/wav", False),
    ],
)
def test_only_what_may_be_json_is_kept(content_type: str, kept: bool) -> None:
    assert of_json({"usage": {"prompt_tokens": 7}}, content_type) == (Usage(7) if kept else None)


def test_the_default_limit_holds_a_long_answer() -> None:
    long = {"choices": ["x" * (LIMIT_BYTES - 1000)], "usage": {"prompt_tokens": 7}}
    assert of_json(long) == Usage(7)


# --- SSE -----------------------------------------------------------------------------------------


def test_a_stream_of_a_real_server_tells_its_usage() -> None:
    reader = of_pieces(CAPTURED)
    assert reader.streaming
    assert (reader.usage, reader.events) == (Usage(7, 3, 10), 5)


def test_an_event_may_be_cut_anywhere() -> None:
    for at in range(len(CAPTURED) + 1):
        reader = of_pieces(CAPTURED[:at], CAPTURED[at:])
        assert (reader.usage, reader.events) == (Usage(7, 3, 10), 5), at


def test_usage_and_the_end_may_come_in_different_pieces() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}
    reader = of_pieces(event(CHUNK), event({**CHUNK, "usage": usage}), b"data: [DONE]\n\n", b"")
    assert (reader.usage, reader.events) == (Usage(5, 10, 15), 2)


def test_usage_is_known_as_soon_as_its_event_is_complete() -> None:
    reader = AnswerReader(SSE)
    reader.feed(event({"usage": {"prompt_tokens": 7}})[:-1])
    assert reader.usage is None
    reader.feed(b"\n")
    assert reader.usage == Usage(7)


def test_the_last_of_running_totals_counts() -> None:
    totals = [{**CHUNK, "usage": {"prompt_tokens": 7, "completion_tokens": n}} for n in range(4)]
    assert of_events(*totals, {**CHUNK, "usage": None}) == Usage(7, 3, 10)


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete", "response.failed"])
def test_a_response_tells_its_usage_when_it_is_over(kind: str) -> None:
    guess = {"usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}
    final = {"usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}}
    reader = of_pieces(
        event({"type": "response.in_progress", "response": guess}, "response.in_progress"),
        event({"type": kind, "response": final}, kind),
    )
    assert (reader.usage, reader.events) == (Usage(7, 3, 10), 2)


@pytest.mark.parametrize("kind", ["response.in_progress", "response.created", "response.new"])
def test_a_response_in_progress_has_no_usage(kind: str) -> None:
    usage = {"input_tokens": 7}
    assert of_events({"type": kind, "response": {"usage": usage}, "usage": usage}) is None


def test_the_two_halves_of_anthropic_usage_are_put_together() -> None:
    start = {"input_tokens": 100, "cache_read_input_tokens": 80, "output_tokens": 1}
    assert of_events(
        {"type": "message_start", "message": {"id": "m", "usage": start}},
        {"type": "ping"},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 15}},
        {"type": "message_stop"},
    ) == Usage(180, 15, 195, 80)


def test_counts_that_anthropic_repeats_are_not_added_twice() -> None:
    usage = {"input_tokens": 100, "cache_read_input_tokens": 80, "output_tokens": 15}
    start = {"type": "message_start", "message": {"usage": usage}}
    assert of_events(start, {"type": "message_delta", "usage": usage}) == Usage(180, 15, 195, 80)


def test_json_of_several_lines_is_one_event() -> None:
    reader = of_pieces(b'data: {"x": 1,\r\ndata: "usage":\r\ndata: {"prompt_tokens": 7}}\r\n\r\n')
    assert (reader.usage, reader.events) == (Usage(7), 1)


def test_the_word_usage_in_a_text_is_no_usage() -> None:
    content = json.dumps({"usage": {"prompt_tokens": 7}})
    assert of_events({"choices": [{"delta": {"content": content}}]}) is None


@pytest.mark.parametrize(
    "data",
    [
        {"type": "response.completed", "response": "x", "usage": 1},
        {"type": "response.completed", "usage": {"prompt_tokens": 7}},
        {"type": "message_start", "message": [], "usage": 1},
        {"type": ["message_start"], "usage": 1},
        ["usage", {"usage": 1}],
    ],
)
def test_an_event_of_an_odd_shape_is_passed_over(data: object) -> None:
    assert of_events(data, {**CHUNK, "usage": {"prompt_tokens": 7}}) == Usage(7)
    assert of_events(data) is None


def test_deep_nesting_is_passed_over() -> None:
    assert of_pieces(b'data: {"usage": ' + b"[" * 50_000 + b"\n\n").usage is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
USAGES = st.dictionaries(
    st.sampled_from(
        [
            "prompt_tokens",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "prompt_tokens_details",
            "cached_tokens",
            "cache_read_input_tokens",
            "usage",
            "type",
            "response",
            "message",
        ]
    ),
    st.recursive(
        SCALARS, lambda i: st.lists(i, max_size=2) | st.dictionaries(st.text(max_size=3), i)
    ),
)
ANSWERS = st.fixed_dictionaries(
    {"usage": USAGES | SCALARS},
    optional={
        "type": st.sampled_from(["response.completed", "message_start", "message_delta"]) | SCALARS,
        "response": st.fixed_dictionaries({"usage": USAGES | SCALARS}) | SCALARS,
        "message": st.fixed_dictionaries({"usage": USAGES | SCALARS}) | SCALARS,
    },
)


@settings(deadline=None)
@given(ANSWERS)
def test_no_usage_raises(answer: dict[str, Any]) -> None:
    for usage in (of_json(answer), of_events(answer)):
        for count in (usage.prompt_tokens, usage.total_tokens) if usage else ():
            assert count is None or count >= 0


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=30) | ANSWERS.map(event), max_size=6), st.sampled_from([SSE, ""])
)
def test_no_bytes_raise(pieces: list[bytes], content_type: str) -> None:
    reader = AnswerReader(content_type, 200)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    assert reader.events <= sum(piece.count(b"data:") for piece in pieces) + len(pieces)


@settings(deadline=None)
@given(st.lists(ANSWERS, max_size=3), st.lists(st.integers(0, 400), max_size=5))
def test_no_cut_changes_the_usage(answers: list[dict[str, Any]], cuts: list[int]) -> None:
    stream = b"".join(event(answer) for answer in answers)
    ends = [0, *sorted(cuts), len(stream)]
    cut = of_pieces(*(stream[start:end] for start, end in itertools.pairwise(ends)))
    whole = of_pieces(stream)
    assert (cut.usage, cut.events) == (whole.usage, whole.events)
