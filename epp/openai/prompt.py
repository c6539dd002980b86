"""The text whose prefix decides what a server has cached already.

It is compared, never shown to a model. Two requests with equal beginnings have prompts with equal
beginnings, and different messages never make the same prompt: every boundary is a mark that text
cannot contain, because a mark inside text is escaped.
"""

from __future__ import annotations

import msgspec
import xxhash

from epp.openai.body import ABSENT

MARK = "\x1e"
ESCAPED = MARK + "-"
TURN = MARK + "<"  # every message begins with it, and nothing else has it
_PLAIN_OPENING_CHARS = 1024
_NOTHING = {b"", b"null", b"[]", b"{}"}
_LONGEST_NOTHING = 5
_BLANKS = b" \t\r\n"


def plain(text: str) -> str:
    """Return `text` with its own marks escaped, which practically no text has."""
    return text.replace(MARK, ESCAPED) if MARK in text else text


def message(role: str, text: str) -> str:
    """Mark where a message of `role` begins; `text` is marked up already."""
    return f"{TURN}{plain(role)}{MARK}>{text}"


def separate(texts: list[str]) -> str:
    """Join texts that do not follow each other, such as the prompts of a batch."""
    return f"{MARK},".join(texts)


def raw(name: str, value: msgspec.Raw) -> str:
    """Keep a field as the JSON that it is; nothing if it says nothing."""
    if value is ABSENT or (json := bytes(value)) in _NOTHING:
        return ""
    return f"{MARK}[{name}{MARK}]{plain(json.decode(errors='replace'))}"


def media(name: str, value: msgspec.Raw | memoryview) -> str:
    """Put a short sum in the place of an image, a sound or a file."""
    if value is ABSENT or memoryview(value)[:_LONGEST_NOTHING].tobytes() in _NOTHING:
        return ""
    return f"{MARK}@{name}:{xxhash.xxh3_64_hexdigest(value)}"


def opening(text: str) -> str:
    """Return what all requests of a conversation share: all up to the end of its first question.

    A prompt without messages has no such place. Its beginning must do, though other conversations
    may have the same.
    """
    question = text.find(message("user", ""))
    if question < 0:
        return text[:_PLAIN_OPENING_CHARS]
    end = text.find(TURN, question + len(TURN))
    return text if end < 0 else text[:end]


def packed_ids(ids: memoryview) -> str:
    """Write packed numbers as text, of about as many characters as in JSON; nothing if empty."""
    return f"{MARK}%{ids.hex()}" if ids else ""


def token_ids(array: bytes) -> str:
    """Write a JSON array of numbers as text; a longer array extends a shorter one."""
    return f"{MARK}#{array[1:-1].translate(None, _BLANKS).decode()},"
