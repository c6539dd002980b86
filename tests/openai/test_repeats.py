from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai import answer
from epp.openai.answer import AnswerReader
from epp.openai.repeats import Pattern, pattern

EVENT = b'{"model":"m","choices":[{"delta":{"content":" a"},"x":null}],"usage":null}'
CAPTURED = sorted((Path(__file__).parents[1] / "data" / "openai").glob("*.sse"))


def of() -> Pattern:
    found = pattern(EVENT, " a")
    assert found is not None
    return found


def framed(text: bytes) -> bytes:
    return b"data: " + EVENT.replace(b" a", text) + b"\n\n"


def test_a_pattern_is_what_stands_around_the_text() -> None:
    assert of().before + b"other" + of().after == framed(b"other")


def test_events_that_repeat_are_counted_and_the_rest_is_left() -> None:
    rest = b"data: [DONE]\n\n"
    pieces = framed(b"one") + framed("zwölf".encode()) + rest
    assert of().strip(pieces) == (2, rest)
    assert of().strip(pieces + b"data: {") == (2, rest + b"data: {")


@pytest.mark.parametrize("text", [b"", b'"', rb"\n", b"\n", b"\r", b"\x00", b"\xff", b'","x":"'])
def test_a_text_that_is_not_plain_is_read_in_full(text: bytes) -> None:
    for data in (framed(text), framed(b"a") + framed(text), framed(text) + framed(b"a")):
        assert of().strip(data)[0] <= 1
        assert of().strip(data)[1].endswith(data[-1:]) or of().strip(data)[1] == b""
    assert of().strip(framed(text)) == (0, framed(text))


@pytest.mark.parametrize("text", [b" word", "zwölf".encode(), b"{1}", b"data: x"])
def test_one_such_event_and_nothing_else_is_known(text: bytes) -> None:
    event = framed(text)
    assert of().is_all_of(event)
    assert of().strip(event) == (1, b"")
    for other in (event + event, event[:-1], event[1:], event + b"data: [DONE]\n\n"):
        assert not of().is_all_of(other)


@pytest.mark.parametrize("text", [b"", b'"', rb"\n", b"\n", b"\r", b"\x00", b"\xff", b'","x":"'])
def test_an_event_whose_text_is_not_plain_is_not_known(text: bytes) -> None:
    assert not of().is_all_of(framed(text))


def test_two_halves_of_a_character_are_not_one() -> None:
    data = framed(b"\xc3") + framed(b"\xb6")
    assert of().strip(data) == (0, data)


@pytest.mark.parametrize("event", [rb'{"a":"\n"," a":" a"}', b'{"a":\n" a"}', b'{"a":5}'])
def test_an_event_that_is_not_plain_has_no_pattern(event: bytes) -> None:
    assert pattern(event, " a") is None


@pytest.mark.parametrize(
    "event", [b'{" a":" a"}', b'{"x":" a","y":" a"}', b'{"x":" b"}', b'{"x":" a","y":" a","z":1}']
)
def test_a_text_that_stands_there_twice_or_not_at_all_makes_no_pattern(event: bytes) -> None:
    assert pattern(event, " a") is None


# --- what a reader makes of it ----------------------------------------------------------------


def facts(reader: AnswerReader) -> tuple[Any, ...]:
    return reader.events, reader.generated, reader.model, reader.usage


def by_event(stream: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Read without patterns."""
    with monkeypatch.context() as patched:
        patched.setattr(answer, "_TRIES", 0)
        return facts(read([stream]))


def read(pieces: list[bytes]) -> AnswerReader:
    reader = AnswerReader("text/event-stream")
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    return reader


_TEXTS = st.one_of(
    st.sampled_from(["", "a", "?", "a?", "m", 'say "', "\\", "\n", "ö", "stop", "content", "text"]),
    st.text(max_size=5),
)
_DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, _TEXTS),
    st.builds(lambda text: {"role": "assistant", "content": text}, _TEXTS),
    st.builds(lambda a, b: {"reasoning": a, "content": b}, _TEXTS, _TEXTS),
    st.builds(lambda text: {"content": None, "tool_calls": [{"arguments": text}]}, _TEXTS),
    st.just({}),
)
_CHOICES = st.one_of(
    st.builds(lambda delta: {"index": 0, "delta": delta, "finish_reason": None}, _DELTAS),
    st.builds(lambda delta: {"index": 0, "delta": delta, "finish_reason": "stop"}, _DELTAS),
    st.builds(lambda text: {"index": 0, "text": text}, _TEXTS),
    st.builds(
        lambda text, ids: {"text": text, "token_ids": ids}, _TEXTS, st.sampled_from([[1], [1, 2]])
    ),
)
_EVENTS = st.fixed_dictionaries(
    {"model": st.sampled_from(["m", "a"]), "choices": st.lists(_CHOICES, max_size=2)},
    optional={
        "usage": st.sampled_from([None, {"completion_tokens": 3}]),
        "type": st.sampled_from(["response.output_text.delta", "stop"]),
    },
)


@given(
    st.lists(
        st.one_of(_EVENTS, st.builds(lambda c: {"model": "m", "choices": [c]}, _CHOICES)),
        max_size=12,
    ),
    st.lists(st.integers(min_value=0, max_value=2000), max_size=6),
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.booleans(),
    st.sampled_from(
        [b"data: %b\n\n", b"data:%b\n\n", b"data: %b\r\n\r\n", b"event: x\ndata: %b\n\n"]
    ),
)
def test_any_stream_cut_anywhere_is_read_as_without_patterns(
    events: list[Any], cuts: list[int], separators: tuple[str, str], ascii_only: bool, frame: bytes
) -> None:
    texts = [json.dumps(e, separators=separators, ensure_ascii=ascii_only) for e in events]
    stream = b"".join(frame % text.encode(errors="replace") for text in texts)
    places = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    pieces = [stream[a:b] for a, b in pairwise(places)]
    with pytest.MonkeyPatch.context() as patched:
        plain = by_event(stream, patched)
    assert facts(read(pieces)) == plain
    assert facts(read([frame % text.encode(errors="replace") for text in texts])) == plain


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_captured_streams_cut_at_every_byte_are_read_as_without_patterns(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = path.read_bytes()
    plain = by_event(stream, monkeypatch)
    for cut in range(len(stream)):
        assert facts(read([stream[:cut], stream[cut:]])) == plain


def test_what_changes_from_time_to_time_is_learned_anew() -> None:
    """Some servers write the time into each event."""
    made = [
        b'{"created":%d,"model":"m","choices":[{"delta":{"content":"a"}}]}' % (n // 50)
        for n in range(500)
    ]
    reader = AnswerReader("text/event-stream")
    took = 0
    for event in made:
        before = reader._repeated
        reader.feed(b"data: %b\n\n" % event)
        took += reader._repeated > before
    assert (reader.generated, reader.events) == (500, 500)
    assert took > 450
