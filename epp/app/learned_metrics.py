"""What the plugins of each pool have learned, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from epp.scheduling.figure import Figure


class LearnedMetrics:
    """Made when a page is asked for; `figures` tells them by the pool's name."""

    def __init__(self, figures: Callable[[], Mapping[str, Iterable[Figure]]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Render: the protocol of a prometheus_client collector."""
        families: dict[str, GaugeMetricFamily] = {}
        told: set[tuple[str, str, str]] = set()  # two plugins of one type: the first one speaks
        for pool, figures in self._figures().items():
            for figure in figures:
                if (key := (figure.name, pool, figure.address)) in told:
                    continue
                told.add(key)
                labels = {"name": pool}
                if figure.address:
                    labels["model_server_endpoint"] = figure.address
                family = families.get(figure.name) or GaugeMetricFamily(
                    f"llm_d_epp_{figure.name}", figure.text, labels=tuple(labels)
                )
                families[figure.name] = family
                family.add_metric(tuple(labels.values()), figure.value)
        yield from families.values()
