"""One Kubernetes object of a file."""

from __future__ import annotations

import msgspec

from epp.document.node import Node
from epp.manifests.lint.look import text


class Spot(msgspec.Struct, frozen=True):
    """A place in a file, and what is wrong there."""

    file: str
    line: int
    text: str


class Manifest(msgspec.Struct, frozen=True, eq=False):
    """A Kubernetes object and the file that it is in."""

    file: str
    root: Node

    @property
    def kind(self) -> str:
        """Return its kind."""
        return text(self.root, "kind")

    @property
    def group(self) -> str:
        """Return its API group; the core group is empty."""
        group, slash, _ = text(self.root, "apiVersion").partition("/")
        return group if slash else ""

    @property
    def version(self) -> str:
        """Return its API version without the group."""
        return text(self.root, "apiVersion").rpartition("/")[2]

    @property
    def name(self) -> str:
        """Return its name."""
        return text(self.root, "metadata", "name")

    @property
    def namespace(self) -> str:
        """Return its namespace; empty: whoever applies it chooses."""
        return text(self.root, "metadata", "namespace")

    def spot(self, node: Node, wrong: str) -> Spot:
        """Return the place of `node`, which is in this object."""
        return Spot(self.file, node.line, wrong)


def same_namespace(one: str, other: str) -> bool:
    """Tell whether two namespaces can be the same; one that is not written can be any."""
    return not one or not other or one == other
