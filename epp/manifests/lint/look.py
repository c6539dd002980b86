"""Looking into a node whose shape nobody has checked: what is not there is empty."""

from __future__ import annotations

from epp.document.node import Node


def find(node: Node, *path: str | int) -> Node | None:
    """Return the node at the end of `path`; None if it, or its value, is not there."""
    for step in path:
        inside = node.value
        match step, inside:
            case str(), dict() if step in inside:
                node = inside[step]
            case int(), list() if step < len(inside):
                node = inside[step]
            case _:
                return None
    return None if node.value is None else node


def items(node: Node, *path: str | int) -> list[Node]:
    """Return what is in the list at the end of `path`."""
    found = find(node, *path)
    return found.value if found is not None and isinstance(found.value, list) else []


def members(node: Node, *path: str | int) -> dict[str, Node]:
    """Return what is in the mapping at the end of `path`."""
    found = find(node, *path)
    return found.value if found is not None and isinstance(found.value, dict) else {}


def text(node: Node, *path: str | int) -> str:
    """Return the text at the end of `path`."""
    found = find(node, *path)
    return found.value if found is not None and isinstance(found.value, str) else ""


def whole(node: Node, *path: str | int) -> int | None:
    """Return the whole number at the end of `path`."""
    found = find(node, *path)
    if found is None or isinstance(found.value, bool) or not isinstance(found.value, int):
        return None
    return found.value


def labels(node: Node, *path: str | int) -> dict[str, str]:
    """Return the texts of the mapping at the end of `path`."""
    return {k: v.value for k, v in members(node, *path).items() if isinstance(v.value, str)}
