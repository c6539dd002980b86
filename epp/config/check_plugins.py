"""The list `plugins`: names, types, parameters, and what they need."""

from __future__ import annotations

from epp.config import foreign, plugins
from epp.config.findings import Findings, name_of
from epp.config.model import PluginSpec
from epp.document.fit import fit
from epp.document.node import Node
from epp.document.problem import did_you_mean
from epp.scheduling import registry


def check_plugins(findings: Findings) -> None:
    """Say what is wrong with each plugin by itself."""
    lines: dict[str, int] = {}
    for i, spec in enumerate(findings.config.plugins):
        name = name_of(spec)
        if name in lines:
            text = f'two plugins are called "{name}" (first on line {lines[name]})'
            findings.say(text, "plugins", i, "name" if spec.name else "type")
        lines.setdefault(name, findings.root.at("plugins", i).line)
        _check_plugin(findings, spec, i)


def _check_plugin(findings: Findings, spec: PluginSpec, i: int) -> None:
    kind = registry.kind_of(spec.type)
    if spec.type in plugins.PARSERS:
        if spec.parameters:
            findings.say(f"{spec.type} has no parameters", "plugins", i, "parameters")
    elif kind is None:
        findings.say(_no_type(spec.type), "plugins", i, "type")
    else:
        node, place = _parameters(findings.root, i), f"plugins[{i}].parameters"
        if fit(node, kind.parameters(spec.type), place, findings.problems) is not None:
            _check_needs(findings, spec, i)


def _no_type(type_name: str) -> str:
    why = foreign.plugin(type_name)
    if why is not None:
        return f"{type_name} {why}"
    return f'there is no plugin type "{type_name}"{did_you_mean(type_name, plugins.type_names())}'


def _parameters(root: Node, i: int) -> Node:
    plugin = root.at("plugins", i)
    written = root.at("plugins", i, "parameters")
    absent = written is plugin or written.value is None
    return Node(plugin.line, {}) if absent else written


def _check_needs(findings: Findings, spec: PluginSpec, i: int) -> None:
    for producer in plugins.needs_of(spec.type, spec.parameters):
        kind = findings.kinds.get(producer) or plugins.kind_of(producer)
        if kind != registry.producers.kind:
            declared = [name for name, k in findings.kinds.items() if k == registry.producers.kind]
            hint = did_you_mean(producer, [*declared, *registry.producers.names()])
            text = f'"{name_of(spec)}" reads the producer "{producer}", and there is none{hint}'
            findings.say(text, "plugins", i)
