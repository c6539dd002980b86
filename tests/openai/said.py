"""What is asked of each API, and what servers answer: whole, and as a stream.

One table for the core and for real Envoys. Every answer names the model `m` where its API does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from epp.costs.facts import Facts
from epp.openai.usage import Usage

JSON, SSE, SOUND = "application/json", "text/event-stream", "audio/wav"
FORM = "multipart/form-data; boundary=xx"
GRPC = "application/grpc"
SAY: list[Any] = [{"role": "user", "content": "héllo \u2028"}]
# What stands in a text is no usage, and no model.
TEXT = 'é "usage": {"prompt_tokens": 1}, "model": "m" \U0001f600'


class Said(msgspec.Struct, frozen=True):
    """One answer of one API, and what is to be read of it."""

    path: str
    operation: str
    asked: bytes
    asked_type: str
    body: bytes
    content_type: str
    usage: Usage | None
    model: str  # that the answer names; empty: it names none

    @property
    def name(self) -> str:
        """For the ids of tests."""
        return self.path.strip("/") + ("-sse" if self.content_type == SSE else "")


def form(model: str) -> bytes:
    """Return a file and the name of a model."""
    return (
        b'--xx\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        b'RIFF\r\n\x00--x\r\n--xx\r\ncontent-disposition: form-data; name="model"\r\n\r\n'
        b"%b\r\n--xx--\r\n" % model.encode()
    )


ASKED: dict[str, tuple[str, dict[str, Any] | None]] = {
    "/v1/chat/completions": ("chat", {"messages": SAY}),
    "/v1/completions": ("completion", {"prompt": "hello"}),
    "/v1/responses": ("responses", {"input": "hello"}),
    "/v1/responses/input_tokens": ("responses_input_tokens", {"input": SAY}),
    "/v1/embeddings": ("embeddings", {"input": ["hello", "you"]}),
    "/v1/images/generations": ("image_generation", {"prompt": "a cat"}),
    "/v1/audio/speech": ("speech", {"input": "hello", "voice": "alloy"}),
    "/v1/audio/transcriptions": ("transcription", None),
    "/v1/audio/translations": ("translation", None),
    "/v1/rerank": ("rerank", {"query": "q", "documents": ["a", "b"]}),
    "/v2/rerank": ("rerank", {"query": "q", "documents": ["a", "b"]}),
    "/v1/score": ("score", {"text_1": "a", "text_2": "b"}),
    "/tokenize": ("tokenize", {"prompt": "hello"}),
    "/v1/messages": ("messages", {"messages": SAY, "max_tokens": 5}),
    "/v1/messages/count_tokens": ("count_tokens", {"messages": SAY}),
    "/inference/v1/generate": ("generate", {"token_ids": [1, 2], "sampling_params": {}}),
}

_CHAT_USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 4,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
_CHAT = Usage(9, 4, 13, 5, 2, 3)
_RESPONSE_USAGE = {
    "input_tokens": 9,
    "output_tokens": 4,
    "total_tokens": 13,
    "input_tokens_details": {"cached_tokens": 5},
    "output_tokens_details": {"reasoning_tokens": 3},
}
_RESPONSE = Usage(9, 4, 13, 5, None, 3)
_MESSAGE_USAGE = {
    "input_tokens": 2,
    "cache_read_input_tokens": 5,
    "cache_creation_input_tokens": 3,
    "output_tokens": 4,
}
_MESSAGE = Usage(10, 4, 14, 5, 3)

WHOLE: dict[str, tuple[Any, Usage | None]] = {
    "/v1/chat/completions": (
        {
            "id": "c",
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}}],
            "usage": _CHAT_USAGE,
        },
        _CHAT,
    ),
    "/v1/completions": (
        {"id": "c", "choices": [{"text": TEXT}], "usage": _CHAT_USAGE, "model": "m"},
        _CHAT,
    ),
    "/v1/responses": (
        {"id": "r", "object": "response", "model": "m", "output": [], "usage": _RESPONSE_USAGE},
        _RESPONSE,
    ),
    "/v1/responses/input_tokens": (
        {"object": "response.input_tokens", "input_tokens": 11},
        Usage(11),
    ),
    "/v1/embeddings": (
        {
            "object": "list",
            "data": [{"index": 0, "embedding": [0.5, -1e-3]}],
            "model": "m",
            "usage": {"prompt_tokens": 6, "total_tokens": 6},
        },
        Usage(6, None, 6),
    ),
    "/v1/images/generations": (
        {
            "created": 1,
            "data": [{"b64_json": "aGk="}],
            "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12},
        },
        Usage(5, 7, 12),
    ),
    "/v1/audio/transcriptions": (
        {"text": TEXT, "usage": {"type": "tokens", "input_tokens": 5, "output_tokens": 7}},
        Usage(5, 7, 12),
    ),
    "/v1/audio/translations": ({"text": TEXT}, None),
    "/v1/rerank": (
        {"id": "r", "model": "m", "usage": {"total_tokens": 8}, "results": [{"index": 0}]},
        Usage(8, None, 8),
    ),
    "/v2/rerank": (
        {"results": [], "meta": {"tokens": {"input_tokens": 8, "output_tokens": 0}}},
        Usage(8, 0, 8),
    ),
    "/v1/score": (
        {"data": [{"score": 0.1}], "model": "m", "usage": {"prompt_tokens": 8}},
        Usage(8),
    ),
    "/tokenize": ({"count": 3, "max_model_len": 99, "tokens": [1, 2, 3]}, Usage(3)),
    "/v1/messages": (
        {
            "type": "message",
            "model": "m",
            "content": [{"type": "text", "text": TEXT}],
            "usage": _MESSAGE_USAGE,
        },
        _MESSAGE,
    ),
    "/v1/messages/count_tokens": ({"input_tokens": 11}, Usage(11)),
    "/inference/v1/generate": (
        {"request_id": "g", "choices": [{"index": 0, "token_ids": [7, 8, 9]}]},
        Usage(None, 3),
    ),
}
_CHUNK = {"id": "c", "object": "chat.completion.chunk", "model": "m"}

# The events of a stream, each with its name where the API gives them one.
EVENTS: dict[str, tuple[list[Any], Usage]] = {
    "/v1/chat/completions": (
        [
            {**_CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
            {**_CHUNK, "choices": [{"index": 0, "delta": {"content": TEXT}}]},
            {**_CHUNK, "choices": [{"index": 0, "delta": {"content": "a"}}]},
            {**_CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {**_CHUNK, "choices": [], "usage": _CHAT_USAGE},
        ],
        _CHAT,
    ),
    "/v1/completions": (
        [
            {"model": "m", "choices": [{"index": 0, "text": TEXT}], "usage": None},
            {"model": "m", "choices": [{"index": 0, "text": "b"}], "usage": None},
            {"model": "m", "choices": [], "usage": _CHAT_USAGE},
        ],
        _CHAT,
    ),
    "/v1/responses": (
        [
            {"type": "response.created", "response": {"model": "m", "usage": None}},
            {"type": "response.output_text.delta", "delta": TEXT},
            {"type": "response.completed", "response": {"model": "m", "usage": _RESPONSE_USAGE}},
        ],
        _RESPONSE,
    ),
    "/v1/images/generations": (
        [
            {"type": "image_generation.partial_image", "b64_json": "aGk="},
            {
                "type": "image_generation.completed",
                "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12},
            },
        ],
        Usage(5, 7, 12),
    ),
    "/v1/audio/speech": (
        [
            {"type": "speech.audio.delta", "audio": "aGk="},
            {"type": "speech.audio.done", "usage": {"input_tokens": 5, "output_tokens": 7}},
        ],
        Usage(5, 7, 12),
    ),
    "/v1/audio/transcriptions": (
        [
            {"type": "transcript.text.delta", "delta": TEXT},
            {"type": "transcript.text.done", "usage": {"input_tokens": 5, "output_tokens": 7}},
        ],
        Usage(5, 7, 12),
    ),
    "/v1/messages": (
        [
            {
                "type": "message_start",
                "message": {"model": "m", "usage": {**_MESSAGE_USAGE, "output_tokens": 1}},
            },
            {"type": "ping"},
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": TEXT}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 4}},
            {"type": "message_stop"},
        ],
        _MESSAGE,
    ),
    "/inference/v1/generate": (
        [
            {"choices": [{"index": 0, "token_ids": [7, 8]}]},
            {"choices": [{"index": 0, "token_ids": [9]}], "usage": {"prompt_tokens": 2}},
        ],
        Usage(2),
    ),
}
_ENDS_WITH_DONE = {"/v1/chat/completions", "/v1/completions", "/inference/v1/generate"}
_ASKS_FOR_USAGE = {"/v1/chat/completions", "/v1/completions"}


def stream(
    path: str,
    end: str = "\n",
    *,
    remarks: bool = False,
    lines: bool = False,
    usage: bool = True,
) -> bytes:
    """Return a stream of the API: with this line break, comments, JSON over several lines.

    `usage`: with the event that OpenAI sends only to those who ask for it.
    """
    written = [": hello" + end + end] if remarks else []
    for data in EVENTS[path][0]:
        if data.get("choices") == [] and not usage:
            continue
        name = data.get("type")
        text = json.dumps(data, ensure_ascii=False, indent=1 if lines else None)
        written += [f"event: {name}{end}"] if name else []
        written += [f"id: 1{end}: note{end}"] if remarks else []
        written += [f"data: {line}{end}" for line in text.split("\n")] + [end]
    if path in _ENDS_WITH_DONE:
        written.append(f"data: [DONE]{end}{end}")
    return "".join(written).encode()


def asked(path: str, model: str = "m", *, streams: bool = False) -> tuple[bytes, str]:
    """Return a request's body and its type."""
    fields = ASKED[path][1]
    if fields is None:
        return form(model), FORM
    more: dict[str, Any] = {"stream": True} if streams else {}
    if streams and path in _ASKS_FOR_USAGE:
        more["stream_options"] = {"include_usage": True}
    return json.dumps({**fields, "model": model, **more}).encode(), JSON


def _all() -> Iterator[Said]:
    for path, (answer, usage) in WHOLE.items():
        body = json.dumps(answer, ensure_ascii=False).encode()
        yield Said(
            path, ASKED[path][0], *asked(path), body, JSON, usage, str(answer.get("model", ""))
        )
    path = "/v1/audio/speech"
    yield Said(path, "speech", *asked(path), b"RIFF\x00\xff\r\n\r\ndata: x", SOUND, None, "")
    for path, (events, usage) in EVENTS.items():
        model = "m" if '"model": "m"' in json.dumps(events) else ""
        yield Said(
            path, ASKED[path][0], *asked(path, streams=True), stream(path), SSE, usage, model
        )


SAID = list(_all())

# A quarter of the prompt's characters, where the server does not count its tokens. (Of a file there
# are no characters but those of its fingerprint.)
_ESTIMATES = {"v1/audio/speech": 2, "v1/audio/translations": 6, "inference/v1/generate": 2}
_SEEN = {"inference/v1/generate-sse": 3}  # tokens that pass, and that no usage tells


def charged(said: Said) -> Facts:
    """Return what a request with this answer is charged by."""
    facts = Facts()
    prompt, seen = _ESTIMATES.get(said.name, 0), _SEEN.get(said.name, 0)
    facts.count(said.usage, prompt_tokens=prompt, generated=seen)
    return facts
