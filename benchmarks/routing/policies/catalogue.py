"""All policies by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import structs

from benchmarks.routing.policies.aibrix_prefix import AibrixPrefix
from benchmarks.routing.policies.beliefs import scaled
from benchmarks.routing.policies.cache_aware import CacheAware
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
TARGETS = TargetsSpec(ttft="2s", tpot="50ms")

_UNBOUNDED = 10**9  # tokens: a tree that is not cut in the time of a run


class Setting(msgspec.Struct, frozen=True):
    """What a policy is told of the fleet."""

    rng: random.Random
    prompts: Prompts
    kv_tokens: int
    max_load_age_s: float
    coefficients: float = 1.0  # what the picker believes of the servers' times, of what is true

    def production(self, config: EndpointPickerConfig) -> Policy:
        """Return the picker with this configuration."""
        believed = scaled(config, self.coefficients)
        return Production(believed, self.rng, self.prompts, self.kv_tokens, self.max_load_age_s)

    def gated(self, config: EndpointPickerConfig, flow_control: FlowControl) -> Policy:
        """Return the picker with this configuration, and requests that wait in it."""
        held = complete(structs.replace(config, flow_control=flow_control))
        return Gated(held, self.rng, self.prompts, self.kv_tokens, self.max_load_age_s)

    def prefixes(self) -> Prefixes:
        """Return an index that believes in as many tokens as a pod has memory for."""
        return Prefixes(self.kv_tokens)


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
    "gated": lambda s: s.gated(load_preset(MARGINAL_COST), FlowControl(targets=TARGETS)),
    "gated-shed": lambda s: s.gated(
        load_preset(MARGINAL_COST), FlowControl(targets=TARGETS, when_late="shed")
    ),
    "gated-shortest": lambda s: s.gated(
        load_preset(MARGINAL_COST),
        FlowControl(targets=TARGETS, when_late="shed", ordering="shortest-uncached-first"),
    ),
    "gated-classic": lambda s: s.gated(
        load_preset(CLASSIC), FlowControl(targets=TARGETS, when_late="shed")
    ),
}
