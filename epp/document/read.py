"""YAML (and so JSON) to nodes.

Built from the parser's events, not with its `compose`: that recurses in C and ends the process at
a file of a million brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

import yaml

from epp.document.node import Node, Scalar
from epp.document.problem import Problem
from epp.document.scalar import scalar

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 200_000  # aliases followed; a megabyte written out has fewer

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_COLLECTION_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class _MalformedError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, text)


T = TypeVar("T")


def read(content: bytes) -> Node | Problem:
    """Return the root of the only document in `content`, or why there is none."""
    return _build(content, _Builder.document)


def read_all(content: bytes) -> list[Node] | Problem:
    """Return the root of each document in `content`; there may be none."""
    return _build(content, lambda builder: list(builder.documents()))


def _build(content: bytes, build: Callable[[_Builder], T]) -> T | Problem:
    if len(content) > MAX_BYTES:
        return Problem(1, f"the file has more than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(content.count(b"\n", 0, error.start) + 1, "this is not UTF-8 text")
    try:
        return build(_Builder(yaml.parse(text, Loader=_LOADER)))
    except _MalformedError as error:
        return error.problem
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Problem(line, f"the character {error.character!r} is not allowed")
    except yaml.MarkedYAMLError as error:
        return _syntax(error, text)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Problem:
    # The parser meets an open quote or bracket at the end of the file; it is mended where it began.
    unclosed = "end of stream" in (error.problem or "")
    mark = (error.context_mark if unclosed else None) or error.problem_mark
    last = text.rstrip().count("\n") + 1
    line = 1 if mark is None else min(mark.line + 1, last)
    context = f"{error.context}: " if error.context else ""
    return Problem(line, f"not valid YAML: {context}{error.problem}")


class _Builder:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._values = 0

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _MalformedError(1, "the file is empty")
        root = self._node(next(self._events), depth=0)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _MalformedError(_line(after), "a second document begins here; one is wanted")
        return root

    def documents(self) -> Iterator[Node]:
        next(self._events)  # the stream's start
        while not isinstance(next(self._events), yaml.StreamEndEvent):
            self._anchors = {}  # an alias does not reach into another document
            yield self._node(next(self._events), depth=0)
            next(self._events)  # the document's end

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._bound(event, 1, depth)
        node = self._fresh(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _fresh(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Node(_line(event), _scalar(event))
        if getattr(event, "tag", None) not in _COLLECTION_TAGS:
            raise _MalformedError(_line(event), f"the tag {event.tag} is not supported")  # type: ignore[attr-defined]
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        return self._sequence(event, depth)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        node = self._anchors.get(str(event.anchor))
        if node is None:
            raise _MalformedError(_line(event), f"the alias *{event.anchor} stands for nothing yet")
        self._bound(event, node.size, depth + node.depth)
        return node

    def _bound(self, event: yaml.Event, values: int, depth: int) -> None:
        self._values += values
        if depth > MAX_DEPTH:
            raise _MalformedError(_line(event), f"nested more than {MAX_DEPTH} levels deep")
        if self._values > MAX_VALUES:
            text = f"more than {MAX_VALUES:,} values, aliases followed"
            raise _MalformedError(_line(event), text)

    def _sequence(self, start: yaml.Event, depth: int) -> Node:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return _collection(start, items, items)

    def _mapping(self, start: yaml.Event, depth: int) -> Node:
        members: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, members)
            value = self._node(next(self._events), depth + 1)
            members[key] = Node(_line(event), value.value, value.size, value.depth)
        return _collection(start, members, members.values())

    @staticmethod
    def _key(event: yaml.Event, members: dict[str, Node]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _MalformedError(_line(event), "a key must be a word")
        key = str(event.value)
        if key == "<<":
            raise _MalformedError(_line(event), "merge keys (<<) are not supported")
        if key in members:
            text = f'the key "{key}" is here twice (first on line {members[key].line})'
            raise _MalformedError(_line(event), text)
        return key


def _collection(
    start: yaml.Event, value: dict[str, Node] | list[Node], inside: Collection[Node]
) -> Node:
    size = 1 + sum(node.size for node in inside)
    return Node(_line(start), value, size, 1 + max((node.depth for node in inside), default=0))


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    word = str(event.value)
    if event.tag is not None and event.tag not in _STRING_TAGS:
        raise _MalformedError(_line(event), f"the tag {event.tag} is not supported")
    return scalar(word) if event.implicit[0] else word


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
