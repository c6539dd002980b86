"""The block `flowControl`: requests wait in the picker until a replica can take them."""

from __future__ import annotations

import sys
from math import inf
from typing import Annotated, Literal

import msgspec

from epp.config.duration import PATTERN, seconds
from epp.routing.admission.limits import RoomLimits
from epp.routing.admission.settings import AdmissionSettings
from epp.scheduling.gate.settings import GateSettings
from epp.scheduling.gate.targets import Targets

_Duration = Annotated[str, msgspec.Meta(pattern=PATTERN)]
_Count = Annotated[int, msgspec.Meta(ge=1)]

_SHORTEST_FIRST = "shortest-uncached-first"
# How much later a request may have come than one that is shorter by a second of prefill.
_SHORTEST_FIRST_S = 4.0


class TargetsSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How soon requests are to be answered; what is not given has no target."""

    ttft: _Duration | None = None  # time to the first token
    tpot: _Duration | None = None  # time per output token
    ttft_per_1k_tokens: _Duration = msgspec.field(name="ttftPer1kTokens", default="0s")

    def targets(self) -> Targets:
        """Return them in seconds."""
        return Targets(
            inf if self.ttft is None else seconds(self.ttft),
            inf if self.tpot is None else seconds(self.tpot),
            seconds(self.ttft_per_1k_tokens) / 1000.0,
        )


class ModelTargets(msgspec.Struct, frozen=True, rename="camel"):
    """The targets of one model."""

    model: str
    targets: TargetsSpec


class BandSpec(msgspec.Struct, frozen=True, rename="camel"):
    """How many requests of one priority may wait; what is not given has no bound of its own."""

    priority: int
    max_requests: _Count | None = None
    max_bytes: _Count | None = None

    def limits(self) -> RoomLimits:
        """Return them as the room takes them."""
        return RoomLimits(self.max_requests or sys.maxsize, self.max_bytes or sys.maxsize)


class FlowControl(msgspec.Struct, frozen=True, rename="camel"):
    """Targets, bounds and the order of those who wait.

    `maxRequests`, `maxBytes`, `defaultRequestTTL` and `priorityBands` are llm-d's.
    """

    max_requests: _Count = 5_000
    max_bytes: _Count = 1_000_000_000
    default_request_ttl: _Duration = msgspec.field(name="defaultRequestTTL", default="60s")
    targets: TargetsSpec = TargetsSpec()
    models: tuple[ModelTargets, ...] = ()
    priority_bands: tuple[BandSpec, ...] = ()
    ordering: Literal["fcfs", "shortest-uncached-first"] = "fcfs"
    when_late: Literal["defer", "shed"] = "defer"
    when_expired: Literal["shed", "dispatch"] = "shed"

    def gate(self) -> GateSettings:
        """Return when a replica can take a request."""
        models = {spec.model: spec.targets.targets() for spec in self.models}
        return GateSettings(self.targets.targets(), models)

    def admission(self) -> AdmissionSettings:
        """Return who may wait, and how long."""
        return AdmissionSettings(
            seconds(self.default_request_ttl),
            RoomLimits(self.max_requests, self.max_bytes),
            {band.priority: band.limits() for band in self.priority_bands},
            shed_late=self.when_late == "shed",
            shed_expired=self.when_expired == "shed",
            shortest_first=_SHORTEST_FIRST_S if self.ordering == _SHORTEST_FIRST else 0.0,
        )
