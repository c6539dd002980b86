"""What is allowed in a configuration and yet can hardly be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epp.config import plugins
from epp.config.model import EndpointPickerConfig, PluginReference, PluginSpec, ProfileSpec

_BLIND_PICKER = "random-picker"


def lint(config: EndpointPickerConfig) -> tuple[str, ...]:
    """Return a sentence for each oddity of a complete `config`."""
    specs = {spec.name: spec for spec in config.plugins}
    found = [*_unused(config), *_unread(config), *_models(config)]
    for profile in config.scheduling_profiles:
        found.extend(_inert(profile, specs))
    return tuple(found)


def _unused(config: EndpointPickerConfig) -> Iterator[str]:
    placed = {r.plugin_ref for profile in config.scheduling_profiles for r in profile.plugins}
    parsers = {r.plugin_ref for r in config.request_handler.parsers}
    for spec in config.plugins:
        kind = plugins.kind_of(spec.type)
        if kind in plugins.PLACED and spec.name not in placed:
            yield f'the {kind} "{spec.name}" has no effect: no profile refers to it'
        if kind == plugins.PARSER and spec.name not in parsers:
            yield f'the parser "{spec.name}" has no effect: requestHandler.parsers lacks it'


def _models(config: EndpointPickerConfig) -> Iterator[str]:
    models = config.models
    if models is not None and models.unknown == "refuse" and not models.table:
        yield "models.unknown is refuse without a table: only what the servers tell of is served"


def _unread(config: EndpointPickerConfig) -> Iterator[str]:
    readers: dict[str, list[str]] = {}
    for spec in config.plugins:
        for producer in plugins.needs_of(spec.type, spec.parameters):
            readers.setdefault(producer, []).append(spec.name)
    for spec in config.plugins:
        if plugins.kind_of(spec.type) == "producer" and spec.name not in readers:
            others = "".join(
                f'; "{readers[name][0]}" reads another one, "{name}"'
                for name in _others(spec, config.plugins)
                if name in readers
            )
            yield f'the producer "{spec.name}" has no effect: nobody reads it{others}'


def _others(spec: PluginSpec, specs: Sequence[PluginSpec]) -> list[str]:
    return [other.name for other in specs if other.type == spec.type and other.name != spec.name]


def _inert(profile: ProfileSpec, specs: dict[str, PluginSpec]) -> Iterator[str]:
    scorers = [r for r in profile.plugins if r.weight is not None]
    picker = next(r for r in profile.plugins if _kind(r, specs) == "picker").plugin_ref
    in_profile = f'in the profile "{profile.name}"'
    if specs[picker].type == _BLIND_PICKER:
        if scorers:
            yield f'the scorers {in_profile} have no effect: "{picker}" does not look at scores'
    elif not any(r.weight for r in scorers):
        why = "all weights are 0" if scorers else "there is no scorer"
        yield f'"{picker}" {in_profile} chooses at random: {why}'
    else:
        for name in (r.plugin_ref for r in scorers if not r.weight):
            yield f'the scorer "{name}" {in_profile} has no effect: its weight is 0'


def _kind(reference: PluginReference, specs: dict[str, PluginSpec]) -> str | None:
    return plugins.kind_of(specs[reference.plugin_ref].type)
