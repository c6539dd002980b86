"""Writes out what a checked configuration leaves unsaid, by llm-d-router's rules."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from msgspec import structs

from epp.config import plugins
from epp.config.flow_control import FlowControl
from epp.config.model import EndpointPickerConfig, PluginReference, PluginSpec, ProfileSpec
from epp.scheduling.producers.work_ledger import LEDGER

PROFILE = "default"
PICKER = "max-score-picker"
HANDLER = "single-profile-handler"
SCORER_WEIGHT = 1.0
FLOW_CONTROL_GATES = frozenset({"flowControl", "flowControl=true"})  # llm-d's switch for the block


def complete(config: EndpointPickerConfig) -> EndpointPickerConfig:
    """Return `config` with names, weights and every plugin that is implied."""
    if config.flow_control is None and FLOW_CONTROL_GATES.intersection(config.feature_gates):
        config = structs.replace(config, flow_control=FlowControl())
    specs = [structs.replace(spec, name=spec.name or spec.type) for spec in config.plugins]
    picker = _first(specs, "picker", PICKER)
    handler = _first(specs, "profile handler", HANDLER)
    kinds = {spec.name: plugins.kind_of(spec.type) for spec in [*specs, picker]}
    profiles = [
        _complete_profile(profile, kinds, picker.name)
        for profile in config.scheduling_profiles or (profile_of_all(specs),)
    ]
    used = {reference.plugin_ref for profile in profiles for reference in profile.plugins}
    needed = [LEDGER] if config.flow_control is not None else []
    added = [*_producers(specs, used, needed), handler, *([picker] if picker.name in used else [])]
    return structs.replace(
        config,
        plugins=(*specs, *(spec for spec in added if spec not in specs)),
        scheduling_profiles=tuple(profiles),
    )


def profile_of_all(specs: Iterable[PluginSpec]) -> ProfileSpec:
    """Return the profile that is meant where none is written: all that has a place in one."""
    names = [
        spec.name or spec.type for spec in specs if plugins.kind_of(spec.type) in plugins.PLACED
    ]
    return ProfileSpec(PROFILE, tuple(PluginReference(name) for name in names))


def _first(specs: Iterable[PluginSpec], kind: str, default: str) -> PluginSpec:
    declared = [spec for spec in specs if plugins.kind_of(spec.type) == kind]
    return declared[0] if declared else PluginSpec(default, default)


def _producers(
    specs: Iterable[PluginSpec], used: Container[str], needed: Iterable[str]
) -> list[PluginSpec]:
    """Return the producers that the plugins in `used` read, or that are `needed`, and nobody
    declared.
    """
    declared = {spec.name for spec in specs}
    read = dict.fromkeys(
        producer
        for spec in specs
        if spec.name in used
        for producer in plugins.needs_of(spec.type, spec.parameters)
    )
    read |= dict.fromkeys(needed)
    return [PluginSpec(name, name) for name in read if name not in declared]


def _complete_profile(
    profile: ProfileSpec, kinds: Mapping[str, str | None], picker: str
) -> ProfileSpec:
    references = [_weighted(reference, kinds) for reference in profile.plugins]
    if not any(kinds[reference.plugin_ref] == "picker" for reference in references):
        references.append(PluginReference(picker))
    return structs.replace(profile, plugins=tuple(references))


def _weighted(reference: PluginReference, kinds: Mapping[str, str | None]) -> PluginReference:
    if kinds[reference.plugin_ref] != "scorer" or reference.weight is not None:
        return reference
    return structs.replace(reference, weight=SCORER_WEIGHT)
