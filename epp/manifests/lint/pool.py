"""An InferencePool as AI Gateway reads it."""

from __future__ import annotations

import msgspec

from epp.document.node import Node
from epp.manifests.lint.look import items, labels, members, text, whole
from epp.manifests.lint.manifest import Manifest, Spot
from epp.manifests.names import BODY_MODE, MODE_OVERRIDE


class Pool(msgspec.Struct, frozen=True, eq=False):
    """An InferencePool."""

    manifest: Manifest

    @property
    def annotations(self) -> dict[str, Node]:
        """Return its annotations."""
        return members(self.manifest.root, "metadata", "annotations")

    @property
    def buffered(self) -> bool:
        """Tell whether AI Gateway buffers bodies for it."""
        return text(self.manifest.root, "metadata", "annotations", BODY_MODE) == "buffered"

    @property
    def override(self) -> bool:
        """Tell whether AI Gateway lets its picker change the mode."""
        return text(self.manifest.root, "metadata", "annotations", MODE_OVERRIDE) == "true"

    @property
    def selector(self) -> dict[str, str]:
        """Return the labels that its pods have."""
        return labels(self.manifest.root, "spec", "selector", "matchLabels")

    @property
    def target_ports(self) -> list[Node]:
        """Return the ports of its pods."""
        return items(self.manifest.root, "spec", "targetPorts")

    @property
    def picker(self) -> str:
        """Return the name of its picker's Service."""
        return text(self.manifest.root, "spec", "endpointPickerRef", "name")

    @property
    def picker_port(self) -> int | None:
        """Return the port on which its picker is called."""
        return whole(self.manifest.root, "spec", "endpointPickerRef", "port", "number")

    def spot(self, wrong: str, *path: str | int) -> Spot:
        """Return the place of what is at the end of `path` in its `spec`."""
        return self.manifest.spot(self.manifest.root.at("spec", *path), wrong)
