"""Whether the parts of a well-formed configuration fit each other and the plugins there are."""

from __future__ import annotations

from epp.config import foreign, plugins
from epp.config.check_costs import check_costs
from epp.config.check_engines import check_engines
from epp.config.check_models import check_models
from epp.config.check_plugins import check_plugins
from epp.config.check_profiles import check_profiles
from epp.config.findings import Findings
from epp.config.model import EndpointPickerConfig
from epp.document.node import Node
from epp.document.problem import Problem, did_you_mean


def check(config: EndpointPickerConfig, root: Node) -> list[Problem]:
    """Return everything that is wrong; `root` knows the lines."""
    findings = Findings(config, root)
    _check_gates(findings)
    check_plugins(findings)
    check_profiles(findings)
    _check_parsers(findings)
    check_models(findings)
    check_costs(findings)
    check_engines(findings)
    return findings.problems


def _check_gates(findings: Findings) -> None:
    for i, gate in enumerate(findings.config.feature_gates):
        why = foreign.feature_gate(gate)
        if why is not None:
            findings.say(f'the feature gate "{gate}" {why}', "featureGates", i)


def _check_parsers(findings: Findings) -> None:
    for i, reference in enumerate(findings.config.request_handler.parsers):
        name = reference.plugin_ref
        kind = findings.kinds[name] if name in findings.kinds else plugins.kind_of(name)
        place = ("requestHandler", "parsers", i, "pluginRef")
        if name not in findings.kinds and kind is None:
            hint = did_you_mean(name, [*findings.kinds, *plugins.PARSERS])
            why = foreign.plugin(name)
            findings.say(f"{name} {why}" if why else f'no plugin is called "{name}"{hint}', *place)
        elif kind not in {None, plugins.PARSER}:  # None was said where it is declared
            findings.say(f'"{name}" is a {kind}, not a parser', *place)
