from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from epp.openai.answer import AnswerReader
from epp.openai.usage import Usage

SSE = "text/event-stream"


def read(answer: Any, operation: str = "", **more: str) -> AnswerReader:
    reader = AnswerReader("application/json", operation=operation, **more)  # type: ignore[arg-type]
    reader.feed(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
    reader.end()
    return reader


def stream(*events: Any) -> AnswerReader:
    reader = AnswerReader(SSE)
    for data in events:
        reader.feed(b"data: %b\n\n" % json.dumps(data).encode())
    return reader


def chunk(delta: Any, **more: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}], **more}


@pytest.mark.parametrize(
    ("operation", "answer", "usage"),
    [
        ("tokenize", {"count": 5, "max_model_len": 4096, "tokens": [1, 2, 3, 4, 5]}, Usage(5)),
        ("chat", {"count": 5}, None),
        ("count_tokens", {"input_tokens": 14}, Usage(14)),
        (
            "responses_input_tokens",
            {"object": "response.input_tokens", "input_tokens": 9},
            Usage(9),
        ),
        ("rerank", {"id": "r", "usage": {"total_tokens": 56}, "results": []}, Usage(56, None, 56)),
        ("rerank", {"meta": {"tokens": {"input_tokens": 8, "output_tokens": 0}}}, Usage(8, 0, 8)),
        ("rerank", {"meta": {"tokens": None}}, None),
        ("score", {"usage": {"prompt_tokens": 8, "total_tokens": 8}}, Usage(8, None, 8)),
        ("generate", {"choices": [{"token_ids": [1, 2]}, {"token_ids": [3]}]}, Usage(None, 3)),
        ("generate", {"choices": [], "usage": {"prompt_tokens": 2}}, Usage(2)),
        (
            "transcription",
            {"text": "a", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 45}},
            Usage(14, 45, 59),
        ),
        ("transcription", {"text": "a", "usage": {"type": "duration", "seconds": 5}}, None),
        (
            "image_generation",
            {"data": [], "usage": {"input_tokens": 50, "output_tokens": 50, "total_tokens": 100}},
            Usage(50, 50, 100),
        ),
    ],
)
def test_each_api_tells_its_usage_in_its_own_way(
    operation: str, answer: Any, usage: Usage | None
) -> None:
    assert read(answer, operation).usage == usage


@pytest.mark.parametrize(
    ("event", "usage"),
    [
        (
            {"type": "transcript.text.done", "usage": {"input_tokens": 4, "output_tokens": 2}},
            Usage(4, 2, 6),
        ),
        (
            {"type": "image_generation.completed", "usage": {"total_tokens": 9}},
            Usage(9, None, 9),
        ),
    ],
)
def test_streams_of_sound_and_pictures_end_with_their_usage(event: Any, usage: Usage) -> None:
    assert stream(event).usage == usage


@pytest.mark.parametrize(
    ("event", "tokens"),
    [
        (chunk({"role": "assistant", "content": ""}), 0),
        (chunk({"content": "a"}), 1),
        (chunk({"reasoning_content": "a"}), 1),
        (chunk({"tool_calls": [{"index": 0}]}), 1),
        (chunk({}), 0),
        (chunk(None), 0),
        ({"choices": [{"index": 0, "text": "a"}]}, 1),
        ({"choices": [{"index": 0, "text": ""}]}, 0),
        ({"choices": [{"text": "abc", "token_ids": [1, 2, 3]}]}, 3),
        ({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}, 2),
        ({"choices": []}, 0),
        ({"choices": None}, 0),
        ({"choices": "odd"}, 0),
        ({"type": "response.output_text.delta", "delta": "a"}, 1),
        ({"type": "response.created", "response": {}}, 0),
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}, 1),
        ({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3}}, 0),
        ({"type": "transcript.text.delta", "delta": "a"}, 1),
        (["odd"], 0),
    ],
)
def test_the_tokens_of_a_stream_are_counted_as_they_pass(event: Any, tokens: int) -> None:
    assert stream(event).generated == tokens


@pytest.mark.parametrize(
    "event",
    [
        chunk({"content": "a"}),
        {"type": "response.created", "response": {"model": "m"}},
        {"type": "message_start", "message": {"model": "m", "usage": {"output_tokens": 1}}},
    ],
)
def test_the_first_name_of_the_model_is_kept(event: Any) -> None:
    reader = stream({"model": 5}, event, chunk({}, model="other"))
    assert reader.model == "m"


def test_json_names_its_model() -> None:
    assert read({"model": "m", "choices": []}).model == "m"
    assert not read({"model": None}).model


def test_the_guess_at_the_start_of_a_message_is_no_count() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    assert stream(start).usage == Usage(9)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_a_compressed_answer_is_read_at_its_end(encoding: str, compress: Any) -> None:
    body = compress(b'{"model": "m", "usage": {"prompt_tokens": 7}}')
    reader = read(body, encoding=encoding)
    assert (reader.usage, reader.model) == (Usage(7), "m")


def test_what_expands_beyond_the_limit_or_not_at_all_is_not_read() -> None:
    bomb = gzip.compress(b'{"usage": {"prompt_tokens": 7}}'.ljust(3 << 20))
    for body in (bomb, bomb[:40], b"not gzip"):
        assert read(body, encoding="gzip").usage is None
    assert read(b'{"usage": {"prompt_tokens": 7}}', encoding="unheard-of").usage is None


def test_a_compressed_stream_is_not_read() -> None:
    reader = AnswerReader(SSE, encoding="gzip")
    reader.feed(gzip.compress(b'data: {"usage": {"prompt_tokens": 7}}\n\n'))
    reader.end()
    assert (reader.streaming, reader.usage, reader.events) == (True, None, 0)
