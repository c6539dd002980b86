"""One place that answers requests: a port of a pod, or of a server on a laptop."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from epp.pool.load import Load


class Endpoint(msgspec.Struct, frozen=True, eq=False):
    """An endpoint and the last that is known of its load.

    A value: a new reading makes a new one, so what a decision was based on can be looked at later.
    """

    address: str  # "10.0.0.1:8000" or "[fd00::1]:8000": the value of the destination header
    name: str = ""  # for people; the address if nothing better is known
    metrics_url: str = ""
    engine: str = "vllm"
    labels: Mapping[str, str] = {}
    generation: int = 0  # higher each time the address (re)joins the pool
    load: Load | None = None  # None: has never answered
    rank: int = 0  # of the servers that share a pod, counted from 0

    def __str__(self) -> str:
        return self.name or self.address

    def fresh_load(self, now: float, max_age_s: float) -> Load | None:
        """The load, unless it is unknown or too old to be believed."""
        load = self.load
        return None if load is None or now - load.at > max_age_s else load
