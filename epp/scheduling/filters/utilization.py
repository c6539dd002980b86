"""Keep endpoints that are not too busy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Exhausted
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight
from epp.scheduling.query import Query
from epp.scheduling.readings import readings
from epp.scheduling.registry import filters

_ACTIVE = "active-requests"
_METRICS: dict[str, Callable[[Load], float | None]] = {
    "running-requests": lambda load: load.running,
    "waiting-queue": lambda load: load.waiting,
    "kv-cache-utilization": lambda load: load.kv_cache_usage,
}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A metric and the highest value that is not too much."""

    metric: Literal["active-requests", "running-requests", "waiting-queue", "kv-cache-utilization"]
    max_value: Annotated[float, msgspec.Meta(ge=0.0)]

    def values(self, query: Query, endpoints: Sequence[Endpoint]) -> Sequence[float | None]:
        """Return the metric of each endpoint; None where it is unknown."""
        if self.metric == _ACTIVE:
            inflight = query.fact(INFLIGHT, InFlight)
            return [inflight.at(e) for e in endpoints]
        return readings(query, endpoints, _METRICS[self.metric])


@filters("utilization-filter")
class UtilizationFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Keep the endpoints that meet every condition.

    One that does not tell a metric, as many engines have none of the KV cache, meets conditions on
    it. One whose load is unknown is kept only if no other is known to meet them: it may be busy,
    but to refuse the request because of a broken scrape would be worse. If all are too busy, the
    request is refused, or, with `fallbackOnEmpty`, all are kept.
    """

    exhausted: ClassVar[Exhausted] = Exhausted.SATURATED

    conditions: tuple[Condition, ...] = ()
    fallback_on_empty: bool = False

    def needs(self) -> tuple[str, ...]:
        """Read the requests in flight if a condition is about them."""
        return (INFLIGHT,) if any(c.metric == _ACTIVE for c in self.conditions) else ()

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return the endpoints that meet the conditions, else those that may."""
        fit, unknown = set(range(len(endpoints))), set[int]()
        for condition in self.conditions:
            for i, value in enumerate(condition.values(query, endpoints)):
                if value is None:
                    if endpoints[i].fresh_load(query.now, query.max_load_age_s) is None:
                        unknown.add(i)
                elif value > condition.max_value:
                    fit.discard(i)
        kept = fit - unknown or fit
        if not kept and self.fallback_on_empty:
            return list(endpoints)
        return [e for i, e in enumerate(endpoints) if i in kept]
