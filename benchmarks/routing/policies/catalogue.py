"""All policies by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import structs

from benchmarks.routing.measure import Targets
from benchmarks.routing.policies.aibrix_prefix import AibrixPrefix
from benchmarks.routing.policies.beliefs import scaled
from benchmarks.routing.policies.cache_aware import CacheAware
from benchmarks.routing.policies.detected import Detected
from benchmarks.routing.policies.detectors import Concurrency, Detector, Utilization
from benchmarks.routing.policies.dynamo_kv import DynamoKV
from benchmarks.routing.policies.gated import Gated
from benchmarks.routing.policies.lmetric import LMetric
from benchmarks.routing.policies.policy import Policy
from benchmarks.routing.policies.prefixes import Prefixes
from benchmarks.routing.policies.production import Production
from benchmarks.routing.policies.simple import LeastRequest, PowerOfTwo, RoundRobin
from benchmarks.routing.prompts import Prompts
from epp.config.complete import complete
from epp.config.flow_control import FlowControl, TargetsSpec
from epp.config.load import load_file, load_preset
from epp.config.model import EndpointPickerConfig
from epp.config.presets import CLASSIC, MARGINAL_COST

CONFIGS = Path(__file__).parents[1] / "configs"

_UNBOUNDED = 10**9  # tokens: a tree that is not cut in the time of a run
_PATIENCE_S = 1.7  # what clients may wait before a target of 2 s; llm-d's own time is 60 s


class Setting(msgspec.Struct, frozen=True):
    """What a policy is told of the fleet."""

    rng: random.Random
    prompts: Prompts
    kv_tokens: int
    max_load_age_s: float
    coefficients: float = 1.0  # what the picker believes of the servers' times, of what is true
    targets: Targets = Targets()

    def production(self, config: EndpointPickerConfig) -> Policy:
        """Return the picker with this configuration."""
        believed = scaled(config, self.coefficients)
        return Production(believed, self.rng, self.prompts, self.kv_tokens, self.max_load_age_s)

    def gated(self, config: EndpointPickerConfig, flow_control: FlowControl) -> Policy:
        """Return the picker with this configuration, and requests that wait in it."""
        flow_control = structs.replace(flow_control, targets=_spec(self.targets))
        held = complete(structs.replace(config, flow_control=flow_control))
        believed = scaled(held, self.coefficients)
        return Gated(believed, self.rng, self.prompts, self.kv_tokens, self.max_load_age_s)

    def prefixes(self) -> Prefixes:
        """Return an index that believes in as many tokens as a pod has memory for."""
        return Prefixes(self.kv_tokens)


def _spec(targets: Targets) -> TargetsSpec:
    return TargetsSpec(
        f"{targets.ttft_s * 1e3:g}ms",
        f"{targets.tpot_s * 1e3:g}ms",
        f"{targets.ttft_token_s * 1e6:g}ms",
    )


def _before(name: str, detector: Detector, ttl_s: float) -> Callable[[Setting], Policy]:
    return lambda s: Detected(POLICIES[name](s), detector, ttl_s)


POLICIES: dict[str, Callable[[Setting], Policy]] = {
    "round-robin": lambda s: RoundRobin(s.rng),
    "least-request": lambda s: LeastRequest(s.rng),
    "power-of-two": lambda s: PowerOfTwo(s.rng),
    "cache-aware": lambda s: CacheAware(s.rng, Prefixes(_UNBOUNDED)),
    "aibrix-prefix": lambda s: AibrixPrefix(s.rng, s.prefixes()),
    "dynamo-kv": lambda s: DynamoKV(s.rng, s.prefixes()),
    "lmetric": lambda s: LMetric(s.rng, s.prefixes()),
    "classic": lambda s: s.production(load_preset(CLASSIC)),
    "blend": lambda s: s.production(load_file(CONFIGS / "blend.yaml")),
    "token-aware": lambda s: s.production(load_file(CONFIGS / "token-aware.yaml")),
    "marginal-cost": lambda s: s.production(load_preset(MARGINAL_COST)),
    "gated": lambda s: s.gated(load_preset(MARGINAL_COST), FlowControl()),
    "gated-shed": lambda s: s.gated(load_preset(MARGINAL_COST), FlowControl(when_late="shed")),
    "gated-shortest": lambda s: s.gated(
        load_preset(MARGINAL_COST),
        FlowControl(when_late="shed", ordering="shortest-uncached-first"),
    ),
    "gated-classic": lambda s: s.gated(load_preset(CLASSIC), FlowControl(when_late="shed")),
}

_DETECTORS: dict[str, Detector] = {"utilization": Utilization(), "concurrency": Concurrency()}

POLICIES |= {
    f"{name}-{label}-{ttl_s:g}s": _before(name, detector, ttl_s)
    for name in ("classic", "lmetric")
    for label, detector in _DETECTORS.items()
    for ttl_s in (60.0, _PATIENCE_S)
}
