"""How important the requests of a pool are, as its InferenceObjectives say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import Pool
from epp.discovery.pool_ref import PoolMember, PoolMemberSpec, belonging

KIND = "InferenceObjective"
PLURAL = "inferenceobjectives"


class InferenceObjectiveSpec(PoolMemberSpec, frozen=True):
    """`spec`."""

    priority: int | None = None


class InferenceObjective(PoolMember, frozen=True):
    """`llm-d.ai/v1alpha2`."""

    spec: InferenceObjectiveSpec = InferenceObjectiveSpec()


class Objectives(msgspec.Struct, frozen=True):
    """The objectives of one pool, by name."""

    priorities: Mapping[str, int] = {}
    complaints: tuple[Complaint, ...] = ()

    def priority(self, name: str) -> int:
        """Return the priority of the objective called `name`: 0 if there is none."""
        return self.priorities.get(name, 0)


def objectives(pool: Pool, objects: Iterable[InferenceObjective]) -> Objectives:
    """Return what `objects` say about `pool`."""
    complaints: list[Complaint] = []
    ours = belonging(pool, KIND, objects, complaints)
    return Objectives({o.metadata.name: o.spec.priority or 0 for o in ours}, tuple(complaints))
