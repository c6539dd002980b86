"""What the checks of one configuration share."""

from __future__ import annotations

from epp.config import plugins
from epp.config.model import EndpointPickerConfig, PluginSpec
from epp.document.node import Node
from epp.document.problem import Problem


def name_of(spec: PluginSpec) -> str:
    """Return what references call the plugin."""
    return spec.name or spec.type


class Findings:
    """The configuration, its lines, and what is wrong so far.

    `kinds` has the kind of each declared plugin, None for a type that there is not.
    """

    def __init__(self, config: EndpointPickerConfig, root: Node) -> None:
        self.config = config
        self.root = root
        self.problems: list[Problem] = []
        self.kinds = {name_of(spec): plugins.kind_of(spec.type) for spec in config.plugins}

    def say(self, text: str, *path: str | int) -> None:
        """Add a problem with what is at the end of `path`."""
        self.problems.append(Problem(self.root.at(*path).line, text))

    def declared(self, kind: str) -> list[int]:
        """Return the places in `plugins` of those of `kind`."""
        specs = enumerate(self.config.plugins)
        return [i for i, spec in specs if self.kinds[name_of(spec)] == kind]
