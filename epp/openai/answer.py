"""What an answer says of itself, read while it passes by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from epp.openai.encodings import expand, is_encoded
from epp.openai.invalid import Invalid
from epp.openai.repeats import Pattern, pattern
from epp.openai.sse import EventReader
from epp.openai.usage import Usage, counts_in, usage_of

# Usage stands at the end, so a body must be kept to find it; embeddings of a large batch are not.
LIMIT_BYTES = 1 << 20

# Patterns are looked for in so many events, and again when one has paid for it.
_TRIES = 3
_WORTH = 8

# Events of which the usage is final. Earlier ones of the responses API repeat a null or a guess.
_FINAL = {"response.completed", "response.incomplete", "response.failed"}
_OPENING = {"response.created", "message_start"}  # name the model inside
_MALFORMED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class _Choice(msgspec.Struct):
    delta: Any = None
    text: Any = None
    token_ids: Any = None


class _Plain(msgspec.Struct):
    """Where usage may stand: in the answer, or in the response or message of an event."""

    type: Any = None
    model: Any = None
    usage: Any = None
    response: msgspec.Raw = msgspec.Raw()
    message: msgspec.Raw = msgspec.Raw()


class _Event(_Plain):
    choices: list[_Choice] | None = None


class _Whole(_Plain):
    input_tokens: Any = None  # of both APIs that only count
    count: Any = None  # of /tokenize
    meta: Any = None  # of Cohere's and Jina's reranking


class _Inner(msgspec.Struct):
    model: Any = None
    usage: Any = None


def is_stream(content_type: str) -> bool:
    """Tell whether an answer comes as server-sent events."""
    return "text/event-stream" in content_type.lower()


_plain = msgspec.json.Decoder(_Plain)
_event = msgspec.json.Decoder(_Event)
_whole = msgspec.json.Decoder(_Whole)
_inner = msgspec.json.Decoder(_Inner)


class AnswerReader:
    """Reads one answer as it passes. It never raises: of a broken answer it merely knows less.

    `usage` is what the server has told so far: it may come in parts, and as running totals.
    `generated` counts the tokens of a stream that were seen to pass. It is an estimate: a server
    may put several into one event, and says how many only if it is asked for token ids.
    """

    __slots__ = (
        "_between",
        "_body",
        "_counts",
        "_encoding",
        "_events",
        "_limit_bytes",
        "_operation",
        "_pattern",
        "_repeated",
        "_room_bytes",
        "_tries",
        "events",
        "generated",
        "model",
        "streaming",
        "usage",
    )

    def __init__(
        self,
        content_type: str,
        limit_bytes: int = LIMIT_BYTES,
        *,
        operation: str = "",
        encoding: str = "",
    ) -> None:
        kind = content_type.lower()
        self.streaming = is_stream(kind)
        self.events = 0  # SSE events with data, `[DONE]` not among them
        self.generated = 0
        self.model = ""  # as the server calls it
        self.usage: Usage | None = None
        self._operation = operation
        self._counts: dict[str, int] = {}
        self._events = EventReader(limit_bytes)
        self._between = True  # nothing is held of an event
        self._pattern: Pattern | None = None
        self._tries = _TRIES
        self._repeated = 0  # events of this pattern
        self._body = bytearray()
        self._limit_bytes = limit_bytes
        # No content type: it may be JSON. Sound and pictures are not kept.
        self._room_bytes = limit_bytes if "json" in kind or not kind else 0
        self._encoding = encoding if encoding and is_encoded(encoding) else ""

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        pattern = self._pattern
        if (
            pattern is not None
            and self._between
            and len(data) <= self._limit_bytes
            and pattern.is_all_of(data)
        ):  # of a stream as vLLM sends it, a chunk costs an eighth of what it takes to read one
            self.events += 1
            self.generated += 1
            self._repeated += 1
        elif self.streaming:
            if not self._encoding:  # a compressed stream would have to be expanded twice over
                self._feed_stream(data)
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
        elif self._body:
            self._read_whole(self._expanded())
        self._body.clear()

    def _expanded(self) -> bytes:
        body = bytes(self._body)
        if not self._encoding:
            return body
        expanded = expand(body, self._encoding, self._limit_bytes)
        return b"" if isinstance(expanded, Invalid) else expanded

    def _feed_stream(self, data: bytes) -> None:
        """Count the events that repeat an earlier one, and read the others."""
        if self._between and len(data) <= self._limit_bytes:
            if self._pattern is None and self._tries:
                data = self._read_first(data)
            if self._pattern is not None and self._between:
                count, data = self._pattern.strip(data)
                self.events += count
                self.generated += count
                self._repeated += count
        if data:
            self._read(data)

    def _read_first(self, data: bytes) -> bytes:
        """Read the first of several events, of which the others may be repeats; return those."""
        first = data.find(b"\n\n") + 2
        if not 1 < first < len(data):
            return data
        self._read(data[:first])
        return data[first:]

    def _read(self, data: bytes) -> None:
        self._take(self._events.feed(data))
        self._between = self._events.between

    def _take(self, events: Iterable[bytes]) -> None:
        for event in events:
            self.events += 1
            try:
                self._read_event(event)
            except _MALFORMED:
                continue

    def _read_event(self, event: bytes) -> None:
        read: _Plain
        try:
            read = _event.decode(event)
        except msgspec.ValidationError:
            read = _plain.decode(event)
        else:
            generated = _generated(read)
            self.generated += generated
            if generated == 1 and (self._tries > 0 or self._repeated >= _WORTH):
                self._find_pattern(event, read)
        if not self.model:
            self.model = _model(read)
        if read.usage is not None or isinstance(read.type, str):
            self._learn(_told(read))

    def _find_pattern(self, event: bytes, read: _Event) -> None:
        self._tries -= 1
        self._repeated = 0
        self._pattern = None
        if read.usage is not None or isinstance(read.type, str):
            return
        text = _text(read)
        if text:
            self._pattern = pattern(event, text)

    def _read_whole(self, body: bytes) -> None:
        try:
            read = _whole.decode(body)
            self.model = _model(read)
            self._learn(_told(read) or self._counted(read, body))
        except _MALFORMED:
            return

    def _counted(self, read: _Whole, body: bytes) -> dict[str, int]:
        """Return the counts of an answer that has no usage, and says them in its own way."""
        if self._operation == "tokenize":
            return counts_in({"prompt_tokens": read.count})
        if self._operation == "generate":
            ids = sum(_tokens(choice) for choice in _event.decode(body).choices or ())
            return {"completion_tokens": ids}
        if isinstance(read.meta, dict):
            return counts_in(read.meta.get("tokens"))
        return counts_in({"input_tokens": read.input_tokens})

    def _learn(self, counts: dict[str, int]) -> None:
        if counts:
            self._counts.update(counts)
            self.usage = usage_of(self._counts)


def _told(read: _Plain) -> dict[str, int]:
    kind = read.type
    if isinstance(kind, str) and kind.startswith("response."):
        return counts_in(_inner.decode(read.response).usage) if kind in _FINAL else {}
    if kind == "message_start":
        counts = counts_in(_inner.decode(read.message).usage)
        counts.pop("output_tokens", None)  # a guess: the answer only begins
        return counts
    return counts_in(read.usage)


def _model(read: _Plain) -> str:
    kind, model = read.type, read.model
    if isinstance(kind, str) and kind in _OPENING:
        model = _inner.decode(read.message if kind == "message_start" else read.response).model
    return model if isinstance(model, str) else ""


def _generated(event: _Event) -> int:
    """Return how many tokens an event seems to bring."""
    kind = event.type
    if isinstance(kind, str) and kind.endswith("delta"):
        return int(kind != "message_delta")  # Anthropic's, with the reason for its end
    tokens = 0
    for choice in event.choices or ():  # faster than a sum of so few
        tokens += _tokens(choice)
    return tokens


def _tokens(choice: _Choice) -> int:
    ids, delta = choice.token_ids, choice.delta
    if isinstance(ids, list):
        return len(ids)
    if isinstance(delta, dict):
        for name, value in delta.items():  # faster than any()
            if value and name != "role":
                return 1
        return 0
    return int(bool(choice.text))


def _text(event: _Event) -> str:
    """Return the only text that an event brings; nothing if there is no such."""
    [choice, *others] = event.choices or [_Choice()]
    delta = choice.delta if isinstance(choice.delta, dict) else {"text": choice.text}
    texts = [text for name, text in delta.items() if text and name != "role"]
    if others or len(texts) != 1 or not isinstance(texts[0], str):
        return ""
    return texts[0]
