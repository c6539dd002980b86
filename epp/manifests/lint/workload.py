"""What runs pods, and how the containers in them are started."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from epp.document.node import Node
from epp.manifests.lint.look import find, items, labels, text
from epp.manifests.lint.manifest import Manifest

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "LeaderWorkerSet")
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})


class Workload(msgspec.Struct, frozen=True, eq=False):
    """An object that runs pods; `template` is what they are made from."""

    manifest: Manifest
    template: Node

    def selected_by(self, selector: Mapping[str, str]) -> bool:
        """Tell whether its pods have all labels of `selector`, which are some."""
        return (
            bool(selector)
            and selector.items() <= labels(self.template, "metadata", "labels").items()
        )

    @property
    def containers(self) -> list[Container]:
        """Return the containers of its pods."""
        names = ("containers", "initContainers")  # a sidecar is one of the latter
        return [Container(n) for name in names for n in items(self.template, "spec", name)]

    @property
    def picker(self) -> Container | None:
        """Return the container that runs this project's picker."""
        return next((c for c in self.containers if c.is_epp), None)


class Container(msgspec.Struct, frozen=True, eq=False):
    """A container of a pod."""

    node: Node

    @property
    def arguments(self) -> list[Node]:
        """Return its command line."""
        return items(self.node, "command") + items(self.node, "args")

    @property
    def is_epp(self) -> bool:
        """Tell whether it runs this project's picker."""
        image = text(self.node, "image").rpartition("/")[2].partition("@")[0].partition(":")[0]
        return image == "epp" or any(node.value == "serve" for node in self.arguments)

    def flags(self, name: str) -> list[Node]:
        """Return where `--name` is set: by arguments, or by the variable that stands for it."""
        arguments = [n for n in self.arguments if str(n.value).partition("=")[0] == f"--{name}"]
        variable = f"EPP_{name.upper().replace('-', '_')}"
        return arguments or [e for e in items(self.node, "env") if text(e, "name") == variable]

    def value(self, name: str) -> str:
        """Return what `--name` is set to; empty if it is not set."""
        set_at = self.flags(name)
        if not set_at:
            return ""
        node = set_at[-1]
        if isinstance(node.value, dict):
            return text(node, "value")
        _, written, value = str(node.value).partition("=")
        return value if written else self._after(node)

    def switched_on(self, name: str) -> bool:
        """Tell whether the switch `--name` is on."""
        set_at = self.flags(name)
        if not set_at:
            return False
        by_name = isinstance(set_at[-1].value, str) and "=" not in set_at[-1].value
        return by_name or self.value(name).lower() in _TRUE

    def _after(self, node: Node) -> str:
        arguments = self.arguments
        index = next(i for i, argument in enumerate(arguments) if argument is node)
        return str(arguments[index + 1].value) if index + 1 < len(arguments) else ""


def workloads(manifest: Manifest) -> list[Workload]:
    """Return the kinds of pods that `manifest` runs."""
    if manifest.kind not in KINDS:
        return []
    if manifest.kind == "Pod":
        return [Workload(manifest, manifest.root)]
    paths: list[tuple[str, ...]] = [("spec", "template")]
    if manifest.kind == "LeaderWorkerSet":
        group = ("spec", "leaderWorkerTemplate")
        paths = [(*group, "leaderTemplate"), (*group, "workerTemplate")]
    found = (find(manifest.root, *path) for path in paths)
    return [Workload(manifest, template) for template in found if template is not None]
