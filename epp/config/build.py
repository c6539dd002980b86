"""A configuration to the objects that choose."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.config import plugins
from epp.config.costs import cost_sheet
from epp.config.engines import EngineSpec
from epp.config.lint import lint
from epp.config.model import EndpointPickerConfig, ProfileSpec
from epp.config.models import model_table
from epp.costs.sheet import CostSheet
from epp.openai.validation import Validation
from epp.routing.admission.settings import AdmissionSettings
from epp.routing.models import ModelTable
from epp.scheduling import registry
from epp.scheduling.gate.gate import GATE, Gate
from epp.scheduling.plugin import Seeded
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.profile import Named, Profile
from epp.scheduling.scheduler import Scheduler


class Built(msgspec.Struct, frozen=True, eq=False):
    """What a configuration comes to.

    `warnings` are for its author: it works, but hardly as it was meant. `engines` are for whoever
    reads the servers' metrics.
    """

    scheduler: Scheduler
    gate: Gate | None
    admission: AdmissionSettings | None
    parsers: frozenset[str]
    warnings: tuple[str, ...] = ()
    validation: Validation = Validation.LENIENT
    models: ModelTable = ModelTable()
    costs: CostSheet | None = None
    engines: tuple[EngineSpec, ...] = ()


def build(config: EndpointPickerConfig, seed: int) -> Built:
    """Build what `config`, which `load` returned, describes.

    `seed` keeps prompts from being made to collide in a prefix index: take another in each process.
    """
    made = _Made(config, seed)
    (handler,) = made.of("profile handler").values()
    producers, gate, admission = made.of("producer"), None, None
    if config.flow_control is not None:
        gate = producers[GATE] = Gate(config.flow_control.gate(), producers[LEDGER])
        admission = config.flow_control.admission()
    profiles = [made.profile(spec) for spec in config.scheduling_profiles]
    scheduler = Scheduler(profiles, handler, producers)
    return Built(
        scheduler,
        gate,
        admission,
        _parsers(config),
        lint(config),
        Validation(config.validate),
        model_table(config.models),
        cost_sheet(config.llm_request_costs, config.llm_request_costs_namespace),
        config.engines,
    )


class _Made:
    """The plugins of a configuration, by kind and name."""

    def __init__(self, config: EndpointPickerConfig, seed: int) -> None:
        self._kinds: dict[str, dict[str, Any]] = {kind.kind: {} for kind in registry.KINDS}
        for spec in config.plugins:
            kind = registry.kind_of(spec.type)
            if kind is not None:
                self._kinds[kind.kind][spec.name] = kind.make(spec.type, spec.parameters)
        for producer in self.of("producer").values():
            if isinstance(producer, Seeded):
                producer.seed = seed

    def of(self, kind: str) -> dict[str, Any]:
        return self._kinds[kind]

    def profile(self, spec: ProfileSpec) -> Profile:
        (picker,) = self._placed("picker", spec)
        return Profile(
            spec.name, self._placed("filter", spec), self._placed("scorer", spec), picker
        )

    def _placed(self, kind: str, spec: ProfileSpec) -> tuple[Named[Any], ...]:
        plugins_of_kind = self._kinds[kind]
        return tuple(
            Named(r.plugin_ref, plugins_of_kind[r.plugin_ref], r.weight or 0.0)
            for r in spec.plugins
            if r.plugin_ref in plugins_of_kind
        )


def _parsers(config: EndpointPickerConfig) -> frozenset[str]:
    types = {spec.name: spec.type for spec in config.plugins}
    names = [reference.plugin_ref for reference in config.request_handler.parsers]
    return frozenset(types.get(name, name) for name in names) or plugins.PARSERS
