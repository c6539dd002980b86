"""A pool's endpoints, kept while its pods change one by one."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import Pool
from epp.discovery.pods import Found, Pod, PodRules, endpoints


class Membership:
    """Turns all pods into all endpoints, and looks only at the pods that are new or changed.

    An endpoint that stays the same stays the same object, so that two sets are cheap to compare.
    """

    def __init__(self, rules: PodRules) -> None:
        self._rules = rules
        self._pool: Pool | None = None
        self._known: dict[str, tuple[Pod, Found]] = {}

    def __repr__(self) -> str:
        return f"<Membership {self._pool}, {len(self._known)} pods>"

    def update(self, pool: Pool, pods: Mapping[str, Pod]) -> Found:
        """Return what `pods` come to, in the order of their names.

        Of complaints that differ only in the pod's name, the first is told.
        """
        if self._pool is None or pool.ports != self._pool.ports:
            self._known.clear()
        self._pool = pool
        known, self._known = self._known, {}
        for name in sorted(pods):
            pod, before = pods[name], known.get(name)
            if before is None or before[0] is not pod:
                before = self._look_at(pool, pod, before)
            self._known[name] = before
        found = [found for _, found in self._known.values()]
        return Found(
            tuple(endpoint for one in found for endpoint in one.endpoints),
            _first_of_a_kind([complaint for one in found for complaint in one.complaints]),
        )

    def _look_at(self, pool: Pool, pod: Pod, before: tuple[Pod, Found] | None) -> tuple[Pod, Found]:
        found = endpoints(pool, pod, self._rules)
        return pod, before[1] if before is not None and _same(found, before[1]) else found


def _same(one: Found, other: Found) -> bool:
    return one.complaints == other.complaints and _values(one) == _values(other)


def _values(found: Found) -> list[tuple[object, ...]]:
    return [structs.astuple(endpoint) for endpoint in found.endpoints]


def _first_of_a_kind(complaints: list[Complaint]) -> tuple[Complaint, ...]:
    kinds: dict[tuple[str, str], Complaint] = {}
    for complaint in complaints:
        kinds.setdefault((complaint.where, complaint.text), complaint)
    return tuple(kinds.values())
