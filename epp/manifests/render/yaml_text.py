"""Values to YAML that a person can read: one key a line, in the given order, with comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from epp.document.scalar import scalar

Value: TypeAlias = "str | int | bool | Mapping[str, Value] | Sequence[Value] | Noted"

_PLAIN = re.compile(r"(--)?[A-Za-z0-9/$(]([A-Za-z0-9 _./()$=@-]|:(?=[^ ]))*")
# What YAML 1.1, which kubectl reads, takes for something else than text.
_WORDS = frozenset("y n yes no on off true false null".split())
_NUMBER = re.compile(r"[-+.0-9][-+.0-9_eExXoOa-fA-F:]*")
_WIDTH = 98


class Noted(msgspec.Struct, frozen=True):
    """A value, and the comment above its key."""

    value: Value
    comment: str


def write(value: Mapping[str, Value]) -> str:
    """Return a document."""
    return "".join(f"{line}\n" for line in _mapping(value, 0))


def _mapping(value: Mapping[str, Value], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, inside in value.items():
        plain = inside
        if isinstance(inside, Noted):
            yield from comment(inside.comment, indent)
            plain = inside.value
        yield from _member(_scalar(key), plain, depth)


def _member(key: str, value: Value, depth: int) -> Iterator[str]:
    indent = "  " * depth
    match value:
        case Mapping() if value:
            yield f"{indent}{key}:"
            yield from _mapping(value, depth + 1)
        case str() | int() | Mapping():
            yield f"{indent}{key}: {_scalar(value)}"
        case Sequence() if all(isinstance(item, str) for item in value):
            yield f"{indent}{key}: [{', '.join(map(_scalar, value))}]"
        case Sequence():
            yield f"{indent}{key}:"
            for item in value:
                yield from _item(item, depth + 1)
        case _:
            raise TypeError(value)


def _item(value: Value, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Noted):
        yield from comment(value.comment, indent)
        value = value.value
    if not isinstance(value, Mapping):
        yield f"{indent}- {_scalar(value)}"
        return
    lines = list(_mapping(value, depth + 1))
    # The dash goes before the first line that is no comment.
    first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (line[2:] for line in lines[:first])
    yield f"{indent}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def comment(text: str, indent: str = "") -> Iterator[str]:
    """Yield `text` as lines of comment."""
    for paragraph in text.splitlines():
        yield from textwrap.wrap(
            paragraph,
            _WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _scalar(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str() if _is_plain(value):
            return value
        case str():
            # A JSON string is one of YAML too.
            return msgspec.json.encode(value).decode()
        case Mapping() if not value:
            return "{}"
        case _:
            raise TypeError(value)


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and not text.endswith(" ")
        and text.lower() not in _WORDS
        and _NUMBER.fullmatch(text) is None
        and isinstance(scalar(text), str)
    )
