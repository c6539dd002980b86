"""The history of which adapters run and wait."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable

from epp.demo.sim.job import Job
from epp.demo.sim.page import Page

KEPT = 32  # vLLM keeps every combination for as long as it runs


class AdapterHistory:
    """Each combination of adapters with the time it was last seen: the newest is the truth."""

    def __init__(self, adapters: int) -> None:
        self._adapters = adapters
        self._seen = OrderedDict[tuple[str, str], float]()

    def see(self, running: Iterable[Job], waiting: Iterable[Job], now: float) -> None:
        """Note what runs and waits."""
        combination = (_names(running), _names(waiting))
        self._seen[combination] = now
        self._seen.move_to_end(combination)
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)

    def write(self, page: Page) -> None:
        """Write every combination that was seen."""
        series = [
            (
                {
                    "max_lora": str(self._adapters),
                    "running_lora_adapters": running,
                    "waiting_lora_adapters": waiting,
                },
                seen_at,
            )
            for (running, waiting), seen_at in self._seen.items()
        ]
        page.family("gauge", "lora_requests_info", "Adapters in use; the value is a time.", series)


def _names(jobs: Iterable[Job]) -> str:
    return ",".join(sorted(Counter(job.adapter for job in jobs if job.adapter)))
