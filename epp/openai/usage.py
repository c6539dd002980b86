"""How many tokens a response took, read while it passes by."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.openai.sse import EventReader

# Usage stands at the end, so a body must be kept to find it; embeddings of a large batch are not.
LIMIT_BYTES = 1 << 20

_MAX_COUNT = 1 << 53  # the last integer that a float, and so a metric, holds exactly
_USAGE = b'"usage"'

# Events of which the usage is final. Earlier ones of the responses API repeat a null or a guess.
_FINAL = {"response.completed", "response.incomplete", "response.failed"}

_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_CACHE_READ = "cache_read_input_tokens"
_CACHE_CREATION = "cache_creation_input_tokens"
_TOTAL = "total_tokens"
_COUNTS = (*_PROMPT, *_COMPLETION, _CACHE_READ, _CACHE_CREATION, _TOTAL)
_DETAILS = {
    "prompt_tokens_details": ("cached_tokens", "cache_write_tokens"),
    "input_tokens_details": ("cached_tokens", "cache_write_tokens"),
    "completion_tokens_details": ("reasoning_tokens",),
    "output_tokens_details": ("reasoning_tokens",),
}


class Usage(msgspec.Struct, frozen=True):
    """The counts of one response; None where the server does not tell.

    `prompt_tokens` counts the whole prompt, as OpenAI does. Anthropic's `input_tokens` leave out
    what came from the cache or went into it; here it is added.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Answer(msgspec.Struct):
    """Where usage may stand: in the answer, or in the response or message of an event."""

    type: Any = None
    usage: Any = None
    response: msgspec.Raw = msgspec.Raw()
    message: msgspec.Raw = msgspec.Raw()


class _Inner(msgspec.Struct):
    usage: Any = None


_answer = msgspec.json.Decoder(_Answer)
_inner = msgspec.json.Decoder(_Inner)


class UsageReader:
    """Reads one response as it passes. It never raises: a broken answer merely has no usage.

    `usage` is what is known so far: servers may send it in parts, and running totals.
    """

    def __init__(self, content_type: str, limit_bytes: int = LIMIT_BYTES) -> None:
        kind = content_type.lower()
        self.streaming = "text/event-stream" in kind
        self.events = 0  # SSE events with data, `[DONE]` not among them
        self.usage: Usage | None = None
        self._counts: dict[str, int] = {}
        self._events = EventReader(limit_bytes)
        self._body = bytearray()
        # No content type: it may be JSON. Sound and pictures are not kept.
        self._room_bytes = limit_bytes if "json" in kind or not kind else 0

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        if self.streaming:
            self._take(self._events.feed(data))
        elif len(data) <= self._room_bytes:
            self._body += data
            self._room_bytes -= len(data)
        else:
            self._body.clear()
            self._room_bytes = 0

    def end(self) -> None:
        """Take note that the body is complete."""
        if self.streaming:
            self._take(self._events.end())
        elif _USAGE in self._body:
            self._read(bytes(self._body))
        self._body.clear()

    def _take(self, events: list[bytes]) -> None:
        self.events += len(events)
        for event in events:
            if _USAGE in event:
                self._read(event)

    def _read(self, json: bytes) -> None:
        try:
            counts = _answer_counts(_answer.decode(json))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return
        if counts:
            self._counts |= counts
            self.usage = _usage(self._counts)


def _answer_counts(answer: _Answer) -> dict[str, int]:
    kind = answer.type
    if isinstance(kind, str) and kind.startswith("response."):
        return _counts(_inner.decode(answer.response).usage) if kind in _FINAL else {}
    if kind == "message_start":
        return _counts(_inner.decode(answer.message).usage)
    return _counts(answer.usage)


def _counts(usage: Any) -> dict[str, int]:
    """Return the counts that `usage` has, under the names that it uses."""
    if not isinstance(usage, dict):
        return {}
    found = {name: _count(usage.get(name)) for name in _COUNTS}
    for group, names in _DETAILS.items():
        details = usage.get(group)
        if isinstance(details, dict):
            found |= {name: _count(details.get(name)) for name in names}
    return {name: count for name, count in found.items() if count is not None}


def _count(value: Any) -> int | None:
    """Return `value` as a count; some servers send numbers as strings."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(value if isinstance(value, int) else number) if 0 <= number <= _MAX_COUNT else None


def _usage(counts: dict[str, int]) -> Usage:
    read = counts.get(_CACHE_READ)
    created = counts.get(_CACHE_CREATION)
    prompt = counts.get("prompt_tokens")
    if prompt is None and "input_tokens" in counts:
        prompt = counts["input_tokens"] + (read or 0) + (created or 0)
    completion = counts.get("completion_tokens", counts.get("output_tokens"))
    total = counts.get(_TOTAL)
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total,
        cached_tokens=counts.get("cached_tokens", read),
        cache_creation_tokens=counts.get("cache_write_tokens", created),
        reasoning_tokens=counts.get("reasoning_tokens"),
    )
