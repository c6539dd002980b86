"""Files to Kubernetes objects."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from epp.document.node import Node
from epp.document.problem import Problem
from epp.document.read import read_all
from epp.manifests.lint.look import items, text
from epp.manifests.lint.manifest import Manifest
from epp.manifests.lint.rule import ERROR, Finding

UNREADABLE = "unreadable"


class Contents(msgspec.Struct, frozen=True):
    """What is in some files: objects, and why others could not be read."""

    objects: tuple[Manifest, ...]
    unreadable: tuple[Finding, ...]


def objects_in(file: str, content: bytes) -> Contents:
    """Return the Kubernetes objects of a file; whatever else is in it does not count."""
    roots = read_all(content)
    if isinstance(roots, Problem):
        return Contents((), (unreadable(file, roots.line, roots.text),))
    return Contents(tuple(m for root in roots for m in _objects(file, root)), ())


def unreadable(file: str, line: int, why: str) -> Finding:
    """Return that nothing can be said about a file."""
    return Finding(file, line, ERROR, UNREADABLE, why, "mend the file")


def _objects(file: str, root: Node) -> Iterator[Manifest]:
    if not text(root, "kind") or not text(root, "apiVersion"):
        return
    if text(root, "kind") == "List":
        for item in items(root, "items"):
            yield from _objects(file, item)
    else:
        yield Manifest(file, root)
