"""Another model's name in an answer, and no usage that only the picker asked for.

The answer is parsed; of its bytes only those of the name change, wherever its pieces are cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

import msgspec

# What is not complete by then passes as it is: memory must have a bound.
LIMIT_BYTES = 4 << 20

_CR = ord("\r")  # a byte in bytes is found ten times as fast as bytes in them
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MALFORMED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
# What stands before the value of a member: the brace or comma, its name, and the colon.
_NAME = re.compile(rb'[\s{,]*"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*')
# An empty line. A CR at the end of what is there may be half a line break: see `_END_AFTER_LF`.
_END = re.compile(rb"\n\n|\n\r\n|\r\r|\n\r(?=[^\n])")
_LOOK_BACK_BYTES = 2
_EMPTY = b"[]"
_NULL = b"null"
_INNER = ("response", "message")  # an event of which the model stands one level further in


class AnswerEditor(Protocol):
    """Bytes in, bytes out; what is held comes at the end at the latest."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what can go on."""
        ...

    def end(self) -> bytes:
        """Return what is held."""
        ...


def answer_editor(
    content_type: str, model: str, *, hide_usage: bool, limit_bytes: int = LIMIT_BYTES
) -> AnswerEditor | None:
    """Return what edits an answer of this type; None: there is nothing in it to edit.

    `model` takes the place of the one that answered; empty: that stays.
    """
    kind = content_type.lower()
    name = msgspec.json.encode(model) if model else b""
    if "text/event-stream" in kind:
        return EventEditor(name, hide_usage=hide_usage, limit_bytes=limit_bytes)
    return BodyEditor(name, limit_bytes) if name and "json" in kind else None


class BodyEditor:
    """Edits one JSON object, which it holds until it is complete."""

    def __init__(self, name: bytes, limit_bytes: int) -> None:
        self._name = name
        self._limit_bytes = limit_bytes
        self._held = bytearray()
        self._done = False

    def feed(self, data: bytes) -> bytes:
        """Hold `data`, unless that completes the object: trailers may follow, and no other end."""
        if self._done:
            return data
        self._held += data
        if len(self._held) > self._limit_bytes:
            return self.end()
        edited = self._edited() if data.rstrip().endswith(b"}") else None
        return b"" if edited is None else self._let_go(edited)

    def end(self) -> bytes:
        """Return what is held, as it is."""
        return self._let_go(bytes(self._held))

    def _edited(self) -> bytes | None:
        body = bytes(self._held)
        fields = _fields(body)
        return None if fields is None else _renamed(body, fields, self._name)

    def _let_go(self, data: bytes) -> bytes:
        self._done = True
        self._held.clear()
        return data


class EventEditor:
    """Edits server-sent events, each as soon as it is complete."""

    def __init__(self, name: bytes, *, hide_usage: bool, limit_bytes: int) -> None:
        self._name = name
        self._hide_usage = hide_usage
        self._limit_bytes = limit_bytes
        self._held = bytearray()  # of an event that is not complete
        self._overlong = False  # the current one passes as it is

    def feed(self, data: bytes) -> bytes:
        """Return the events that `data` completes."""
        held = self._held
        if not held and not self._overlong and _is_one_line(data):
            return self._line(data)
        start = max(0, len(held) - _LOOK_BACK_BYTES)
        held += data
        events, at = [], 0
        for end in _END.finditer(held, start):
            events.append(self._event(bytes(held[at : end.end()])))
            at = end.end()
        self._held = held[at:]
        if self._overlong or len(self._held) > self._limit_bytes:
            self._overlong = True
            events.append(bytes(self._held[:-_LOOK_BACK_BYTES]))
            self._held = self._held[-_LOOK_BACK_BYTES:]
        return b"".join(events)

    def end(self) -> bytes:
        """Return what lacks its empty line; some clients read it all the same."""
        held, self._held = bytes(self._held), bytearray()
        return self._event(held)

    def _event(self, event: bytes) -> bytes:
        if self._overlong or len(event) > self._limit_bytes:
            self._overlong = False
            return event
        if _is_one_line(event):
            return self._line(event)
        lines = event.splitlines(keepends=True)
        places = [i for i, line in enumerate(lines) if line.startswith(b"data:")]
        payload = b"\n".join([lines[i][5:].rstrip(b"\r\n") for i in places])
        edited = self._edited(payload)
        if edited is payload:
            return event
        if not edited:
            return b""
        for i, part in zip(places, edited.split(b"\n"), strict=True):
            lines[i] = b"data:" + part + lines[i][len(lines[i].rstrip(b"\r\n")) :]
        return b"".join(lines)

    def _line(self, event: bytes) -> bytes:
        if len(event) > self._limit_bytes:
            return event
        payload = event[5:-2]
        edited = self._edited(payload)
        return event if edited is payload else b"data:%b\n\n" % edited if edited else b""

    def _edited(self, payload: bytes) -> bytes:
        """Return the data as the client is to see it; `payload` itself, or empty: not at all."""
        fields = _fields(payload)
        if fields is None:
            return payload
        if self._hide_usage and _tells_only_usage(fields):
            return b""
        return _edited(payload, fields, self._name) if self._name else payload


def _is_one_line(event: bytes) -> bool:
    """Tell whether this is how servers write: one event, whole, of one line."""
    return (
        event.startswith(b"data:")
        and event.endswith(b"\n\n")
        and event.find(b"\n") == len(event) - 2
        and _CR not in event
    )


def _fields(document: bytes) -> dict[str, msgspec.Raw] | None:
    """Return the members of an object, not parsed further; None if it is no object."""
    try:
        return _FIELDS.decode(document)
    except _MALFORMED:
        return None


def _tells_only_usage(fields: Mapping[str, msgspec.Raw]) -> bool:
    usage, choices = fields.get("usage"), fields.get("choices")
    if usage is None or choices is None:
        return False
    return bytes(usage) != _NULL and b"".join(bytes(choices).split()) == _EMPTY


def _edited(payload: bytes, fields: Mapping[str, msgspec.Raw], name: bytes) -> bytes:
    """Return an event's data with `name` as its model; `payload` itself if it has none."""
    for member in _INNER:
        inner = _fields(bytes(fields[member])) if member in fields else None
        if inner is not None and "model" in inner:
            old = bytes(fields[member])
            return _spliced(payload, fields, member, _renamed(old, inner, name))
    return _renamed(payload, fields, name)


def _renamed(document: bytes, fields: Mapping[str, msgspec.Raw], name: bytes) -> bytes:
    model = fields.get("model")
    if model is None or not bytes(model).startswith(b'"'):
        return document
    return _spliced(document, fields, "model", name)


def _spliced(
    document: bytes, fields: Mapping[str, msgspec.Raw], member: str, value: bytes
) -> bytes:
    """Return `document` with another value of one member.

    The members stand in the order in which they were read, so that the place is found by walking
    over them. (With a member that is there twice the walk loses its way, and nothing is changed.)
    """
    at = 0
    for key, raw in fields.items():
        found, old = _NAME.match(document, at), bytes(raw)
        if found is None or not document.startswith(old, found.end()):
            return document
        at = found.end()
        if key == member:
            return document[:at] + value + document[at + len(old) :]
        at += len(old)
    return document
