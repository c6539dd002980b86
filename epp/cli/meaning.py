"""What a configuration does, in words."""

from __future__ import annotations

from collections.abc import Iterator

from epp.config.build import Built
from epp.config.flow_control import TargetsSpec
from epp.config.model import EndpointPickerConfig
from epp.routing.models import ModelEntry, ModelTable


def meaning(config: EndpointPickerConfig, built: Built) -> Iterator[str]:
    """Yield the lines that say it."""
    yield from _profiles(config)
    yield f"parsers: {', '.join(sorted(built.parsers))}"
    yield f"validate: {config.validate}"
    if config.models is not None:
        yield from _models(built.models)
    yield from _costs(config)
    yield from _flow_control(config)
    for engine in config.engines:
        yield f"engine {engine.name}"


def _profiles(config: EndpointPickerConfig) -> Iterator[str]:
    types = {spec.name: spec.type for spec in config.plugins}
    for profile in config.scheduling_profiles:
        yield f"profile {profile.name}:"
        for reference in profile.plugins:
            name = reference.plugin_ref
            weight = f"  weight {reference.weight:g}" if reference.weight is not None else ""
            of_type = f" ({types[name]})" if types.get(name, name) != name else ""
            yield f"  {name}{of_type}{weight}"


def _models(table: ModelTable) -> Iterator[str]:
    unknown = "is refused with 404" if table.refuse_unknown else "is sent on as it is"
    listing = "answered here" if table.list_models else "for an endpoint to answer"
    yield f"models: one that is not known {unknown}; GET /v1/models is {listing}"
    if table.clear_route_cache:
        yield "models: the proxy chooses its route anew, by x-ai-eg-model"
    for name, entry in table.entries.items():
        labels = "".join(f"  {key}={value}" for key, value in entry.labels.items())
        yield f"model {name}: {_served(name, entry)}{labels}"


def _served(name: str, entry: ModelEntry) -> str:
    if entry.parent:
        return f"a LoRA adapter of {entry.parent}"
    weights = entry.served.weights if entry.served is not None else {name: 1}
    if len(weights) == 1:
        return f"served by {next(iter(weights))}"
    total = sum(weights.values())
    shares = [f"{model} ({100 * weight / total:.3g} %)" for model, weight in weights.items()]
    return f"served by {', '.join(shares)}"


def _costs(config: EndpointPickerConfig) -> Iterator[str]:
    for cost in config.llm_request_costs:
        key = f"{config.llm_request_costs_namespace}:{cost.metadata_key}"
        yield f"cost {key}: {cost.cel or cost.type}"


def _flow_control(config: EndpointPickerConfig) -> Iterator[str]:
    flow = config.flow_control
    if flow is None:
        return
    yield f"flow control: {_targets(flow.targets)}"
    for one in flow.models:
        yield f"flow control of {one.model}: {_targets(one.targets)}"


def _targets(targets: TargetsSpec) -> str:
    told = {"first token within": targets.ttft, "each other within": targets.tpot}
    return ", ".join(f"{name} {t}" for name, t in told.items() if t is not None) or "no targets"
