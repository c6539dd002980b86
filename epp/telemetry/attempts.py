"""How often each endpoint was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from epp.pool.endpoint import Endpoint
from epp.telemetry.names import OTHER


def place(endpoint: Endpoint) -> tuple[str, str, str]:
    """Label values of an endpoint: name, namespace, port."""
    host, _, port = endpoint.address.rpartition(":")
    return endpoint.name or host, endpoint.labels.get("namespace", ""), port


class Attempts:
    """Scheduling attempts by model and endpoint.

    The product of the two is bounded by `limit`: beyond it, the model is no longer told apart. An
    endpoint that left the pool takes its series along.
    """

    def __init__(self, limit: int = 2000) -> None:
        self._limit = limit
        self._successes: dict[tuple[str, str], int] = {}  # model and address
        self._failures: dict[str, int] = {}

    def add(self, model: str, address: str | None) -> None:
        """Count one attempt; `address` is None where no endpoint could be chosen."""
        if address is None:
            self._failures[model] = self._failures.get(model, 0) + 1
            return
        key = (model, address)
        if key not in self._successes and len(self._successes) >= self._limit:
            key = (OTHER, address)
        self._successes[key] = self._successes.get(key, 0) + 1

    def family(self, pool: Mapping[str, Endpoint]) -> Metric:
        """Render the counts, by the endpoints that `pool` has under their addresses."""
        self._successes = {k: n for k, n in self._successes.items() if k[1] in pool}
        counts = Counter[tuple[str, ...]]()  # two addresses may share one name
        for (model, address), count in self._successes.items():
            counts["success", model, *place(pool[address])] += count
        for model, count in self._failures.items():
            counts["failure", model, "", "", ""] += count
        family = CounterMetricFamily(
            "llm_d_epp_scheduler_attempts",
            "Scheduling attempts; status: success or failure.",
            labels=("status", "target_model_name", "endpoint_name", "namespace", "port"),
        )
        for values, count in counts.items():
            family.add_metric(values, count)
        return family
