"""Wherever an answer is cut on its way, the same is read of it and the same goes on."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.openai.answer import AnswerReader
from epp.openai.edit import answer_editor
from epp.openai.usage import Usage
from epp.openai.zstd import zstd
from tests.openai.said import EVENTS, JSON, SAID, SSE, stream

Read = tuple[Usage | None, str, int, int]  # usage, model, events, tokens that were seen to pass
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
WAYS: dict[str, dict[str, Any]] = {
    "LF": {},
    "CRLF": {"end": "\r\n"},
    "CR": {"end": "\r"},
    "comments": {"remarks": True},
    "CRLF-comments-lines": {"end": "\r\n", "remarks": True, "lines": True},
}
STREAMS = {said.path: said for said in SAID if said.content_type == SSE}
WHOLE = {said.name: said for said in SAID if said.content_type != SSE}


def read(pieces: Sequence[bytes], kind: str, operation: str, encoding: str = "") -> Read:
    reader = AnswerReader(kind, operation=operation, encoding=encoding)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    return reader.usage, reader.model, reader.events, reader.generated


def passed(pieces: Sequence[bytes], kind: str, *, hide: bool = False) -> bytes:
    editor = answer_editor(kind, "another", hide_usage=hide)
    if editor is None:
        return b"".join(pieces)
    return b"".join([*map(editor.feed, pieces), editor.end()])


def cuts(data: bytes) -> list[list[bytes]]:
    """The whole, each cut in two, and all single bytes."""
    return [
        [data],
        *([data[:at], data[at:]] for at in range(len(data) + 1)),
        [data[at : at + 1] for at in range(len(data))],
    ]


def renamed(data: bytes, model: str) -> bytes:
    """What goes on: the answer's own name of its model is another, and no other byte."""
    return data.replace(b'"model": "m"', b'"model": "another"') if model else data


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_is_the_same_wherever_it_is_cut(path: str, way: str) -> None:
    said, data = STREAMS[path], stream(path, **WAYS[way])
    generated = read([said.body], SSE, said.operation)[3]
    expected = (said.usage, said.model, len(EVENTS[path][0]), generated)
    for pieces in cuts(data):
        assert read(pieces, SSE, said.operation) == expected
        assert passed(pieces, SSE) == renamed(data, said.model)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", STREAMS)
def test_usage_is_hidden_wherever_it_is_cut(path: str, way: str) -> None:
    data = stream(path, **WAYS[way])
    expected = renamed(stream(path, **WAYS[way], usage=False), STREAMS[path].model)
    for pieces in cuts(data):
        assert passed(pieces, SSE, hide=True) == expected


def test_only_openais_own_event_of_usage_is_hidden() -> None:
    hidden = [path for path in STREAMS if stream(path, usage=False) != stream(path)]
    assert hidden == ["/v1/chat/completions", "/v1/completions"]


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_is_the_same_wherever_it_is_cut(name: str) -> None:
    said = WHOLE[name]
    for pieces in cuts(said.body):
        found = read(pieces, said.content_type, said.operation)
        assert found == (said.usage, said.model, 0, 0)
        assert passed(pieces, said.content_type) == renamed(said.body, said.model)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", [name for name in WHOLE if WHOLE[name].content_type == JSON])
def test_a_compressed_answer_too(name: str, encoding: str) -> None:
    said = WHOLE[name]
    for pieces in cuts(ENCODINGS[encoding](said.body)):
        found = read(pieces, JSON, said.operation, encoding)
        assert found == (said.usage, said.model, 0, 0)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.sampled_from(sorted(WAYS)),
    st.lists(st.integers(0, 2000), max_size=9),
)
def test_and_however_often(path: str, way: str, places: list[int]) -> None:
    said, data = STREAMS[path], stream(path, **WAYS[way])
    ends = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    assert read(pieces, SSE, said.operation) == read([data], SSE, said.operation)
    assert passed(pieces, SSE) == renamed(data, said.model)


@pytest.mark.parametrize("path", STREAMS)
def test_events_that_repeat_each_other_too(path: str) -> None:
    """These are counted by a pattern, and not parsed."""
    said = STREAMS[path]
    events = [event + b"\n\n" for event in said.body.split(b"\n\n")[:-1]]
    found = (i for i, event in enumerate(events) if read([event], SSE, said.operation)[3])
    text = next(found, 0)  # of pictures there are no tokens to count
    events[text:text] = [events[text]] * 20
    data = b"".join(events)
    once = read([said.body], SSE, said.operation)[3]
    more = 20 * read([events[text]], SSE, said.operation)[3]
    expected = (said.usage, said.model, len(EVENTS[path][0]) + 20, once + more)
    for size in (1, 7, 100, 1000, len(data)):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert read(pieces, SSE, said.operation) == expected
    assert read(events, SSE, said.operation) == expected
