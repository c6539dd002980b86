"""From the text of a file to a configuration that can be built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from epp.config import foreign, plugins
from epp.config.check import check
from epp.config.complete import complete
from epp.config.error import ConfigError
from epp.config.model import EndpointPickerConfig
from epp.config.presets import DEFAULT_PRESET, PRESETS, preset_text
from epp.config.stranger import stranger
from epp.document.fit import fit
from epp.document.node import Node
from epp.document.problem import Problem, did_you_mean
from epp.document.read import read


def load(text: str, source: str) -> EndpointPickerConfig:
    """Return the configuration in `text`, with every default written out.

    ConfigError names each mistake by its line; `source` is what it calls the file.
    """
    return _load(text.encode(errors="surrogatepass"), source)


def load_file(path: Path) -> EndpointPickerConfig:
    """Return the configuration in the file at `path`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        unread = Problem(1, f"cannot be read: {error.strerror}")
        raise ConfigError(str(path), [unread]) from error
    return _load(content, str(path))


def load_preset(name: str) -> EndpointPickerConfig:
    """Return a configuration that comes with the picker."""
    if name not in PRESETS:
        unknown = Problem(1, f"there is no such preset{did_you_mean(name, PRESETS)}")
        raise ConfigError(f"--preset {name}", [unknown])
    return load(preset_text(name), f"{name}.yaml")


def default() -> EndpointPickerConfig:
    """Return the configuration of a picker that was given none."""
    return load_preset(DEFAULT_PRESET)


def _load(content: bytes, source: str) -> EndpointPickerConfig:
    plugins.register_all()
    root = read(content)
    if isinstance(root, Problem):
        raise ConfigError(source, [root])
    if other := stranger(root):
        raise ConfigError(source, [other])
    problems: list[Problem] = []
    config = fit(_without_foreign(root, problems), EndpointPickerConfig, "", problems)
    if config is not None:
        problems += check(config, root)
    if config is None or problems:
        raise ConfigError(source, problems)
    return complete(config)


def _without_foreign(root: Node, problems: list[Problem]) -> Node:
    ours = _without(root, foreign.SECTIONS, problems)
    if not isinstance(ours.value, dict) or "flowControl" not in ours.value:
        return ours
    flow_control = _without(ours.value["flowControl"], foreign.FLOW_CONTROL, problems)
    if isinstance(flow_control.value, dict) and "priorityBands" in flow_control.value:
        bands = flow_control.value["priorityBands"]
        if isinstance(bands.value, list):
            each = [_without(band, foreign.BAND, problems) for band in bands.value]
            flow_control.value["priorityBands"] = Node(bands.line, each, bands.size)
    ours.value["flowControl"] = flow_control
    return ours


def _without(node: Node, refused: Mapping[str, str], problems: list[Problem]) -> Node:
    """Return a mapping without what is refused in it, which is said."""
    if not isinstance(node.value, dict):
        return node
    ours = {}
    for name, value in node.value.items():
        if name in refused:
            problems.append(Problem(value.line, f"{name} {refused[name]}"))
        else:
            ours[name] = value
    return Node(node.line, ours, node.size)
