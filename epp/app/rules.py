"""What a cluster's objects lay down for the requests of one pool."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from epp.discovery.objectives import Objectives
from epp.discovery.rewrites import Rewrites


class ClusterRules(msgspec.Struct, frozen=True):
    """InferenceObjectives and InferenceModelRewrites, as `epp.routing.rules` wants them."""

    objectives: Objectives
    rewrites: Rewrites

    def priority(self, objective: str) -> int:
        """Return the priority of an objective, 0 if there is none of that name."""
        return self.objectives.priority(objective)

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        """Return the model that serves, None if it is the one that was asked for."""
        return self.rewrites.target(model, conversation)

    def knows(self, model: str) -> bool:
        """Look for the model among those that a rewrite names."""
        return model in self.rewrites.models
