"""The engines of a configuration, as the scraper wants them."""

from __future__ import annotations

from collections.abc import Iterable

from epp.config.engines import EngineSpec, MetricSpec
from epp.pool.engine_names import ENGINE_NAMES
from epp.scrape.engines import Engine, Metric


def custom_engines(specs: Iterable[EngineSpec]) -> dict[str, Engine]:
    """Return the engines by name."""
    return {
        spec.name: Engine(
            waiting=_metric(spec.waiting),
            running=_metric(spec.running),
            kv_cache_usage=_metric(spec.kv_cache_usage),
            kv_cache_usage_of=spec.kv_cache_usage_of,
            block_size=_metric(spec.block_size),
            blocks=_metric(spec.blocks),
        )
        for spec in specs
    }


def engine_names(specs: Iterable[EngineSpec]) -> tuple[str, ...]:
    """Return all names that an endpoint's engine may have."""
    return (*ENGINE_NAMES, *(spec.name for spec in specs))


def _metric(spec: MetricSpec | None) -> Metric | None:
    if spec is None:
        return None
    return Metric(spec.metric, tuple(spec.labels.items()), spec.value_label, spec.scale)
