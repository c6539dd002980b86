"""A configuration that is wrong about the servers."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from epp.config.model import EndpointPickerConfig, PluginSpec
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.registry import producers

_TIMES = {
    "seconds_per_token",
    "seconds_per_token_pair",
    "step_seconds",
    "step_seconds_per_held_token",
    "step_seconds_per_request",
}


def scaled(config: EndpointPickerConfig, factor: float) -> EndpointPickerConfig:
    """Return `config` with all times of work multiplied by `factor`."""
    plugins = tuple(
        _scaled(spec, factor) if spec.type == LEDGER and factor != 1.0 else spec
        for spec in config.plugins
    )
    return structs.replace(config, plugins=plugins)


def _scaled(spec: PluginSpec, factor: float) -> PluginSpec:
    parameters: dict[str, Any] = dict(spec.parameters)
    for field in structs.fields(producers.parameters(LEDGER)):
        if field.name in _TIMES:
            name = field.encode_name
            parameters[name] = factor * parameters.get(name, field.default)
    return structs.replace(spec, parameters=parameters)
