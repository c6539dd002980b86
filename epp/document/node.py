"""A document's values, each with its line."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

Scalar: TypeAlias = str | int | float | bool | None


class Node(msgspec.Struct, frozen=True, eq=False):
    """A value and the line (from 1) where it, or the key before it, stands.

    `size` counts the values in it and `depth` its levels, aliases followed: few lines can make many
    of both.
    """

    line: int
    value: Scalar | dict[str, Node] | list[Node]
    size: int = 1
    depth: int = 0

    def at(self, *path: str | int) -> Node:
        """Return the node at the end of `path`, or the last one on the way to it."""
        node = self
        for step in path:
            inside: Any = node.value
            try:
                node = inside[step]
            except (KeyError, IndexError, TypeError):
                break
        return node

    def plain(self) -> Any:
        """Return the value without lines. A key without a value counts as not written."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items() if v.value is not None}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def described(self) -> str:
        """Say what the value is, for a message."""
        match self.value:
            case dict():
                return "a mapping"
            case list():
                return "a list"
            case None:
                return "nothing"
            case bool():
                return str(self.value).lower()
            case str():
                return f'"{self.value}"' if len(self.value) <= 60 else "a long text"
            case _:
                return str(self.value)
