"""What the cluster says about a pool, beside its pods' addresses."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from epp.discovery.annotations import (
    GatewayModes,
    PoolSettings,
    SettingLimits,
    gateway_modes,
    pool_settings,
)
from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import Pool
from epp.discovery.objectives import InferenceObjective, Objectives, objectives
from epp.discovery.rewrites import InferenceModelRewrite, Rewrites, rewrites


class PoolFacts(msgspec.Struct, frozen=True):
    """All of it at one moment. Without a pool, everything is empty."""

    pool: Pool | None = None
    modes: GatewayModes = GatewayModes()
    settings: PoolSettings = PoolSettings()
    objectives: Objectives = Objectives()
    rewrites: Rewrites = Rewrites()
    of_annotations: tuple[Complaint, ...] = ()
    of_pods: tuple[Complaint, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is such a pool, and not one that is being deleted."""
        return self.pool is not None and not self.pool.terminating

    @property
    def complaints(self) -> tuple[Complaint, ...]:
        """Everything that somebody should mend."""
        of_pool = () if self.pool is None else self.pool.complaints
        return (
            *of_pool,
            *self.of_annotations,
            *self.objectives.complaints,
            *self.rewrites.complaints,
            *self.of_pods,
        )


def facts(
    pool: Pool | None,
    objective_objects: Iterable[InferenceObjective],
    rewrite_objects: Iterable[InferenceModelRewrite],
    limits: SettingLimits,
) -> PoolFacts:
    """Return what is known of `pool` from these objects of its namespace."""
    if pool is None:
        return PoolFacts()
    modes, of_modes = gateway_modes(pool)
    settings, of_settings = pool_settings(pool, limits)
    return PoolFacts(
        pool,
        modes,
        settings,
        objectives(pool, objective_objects),
        rewrites(pool, rewrite_objects),
        (*of_modes, *of_settings),
    )
