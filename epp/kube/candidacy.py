"""Who may hold a Lease, and what its record says; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec


class LeasePace(msgspec.Struct, frozen=True, kw_only=True):
    """The times of controller-runtime: others wait longer than a leader goes without renewing."""

    duration_s: int = 15
    renew_s: float = 10.0
    retry_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < 1.2 * self.retry_s < self.renew_s < self.duration_s:
            raise ValueError("a lease lasts longer than its renewal, and that longer than a retry")


class LeaseSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The record in a Lease."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(msgspec.Struct, frozen=True, rename="camel"):
    """A Lease; `metadata` goes back as it came, with what others wrote in it."""

    metadata: Mapping[str, Any]
    spec: LeaseSpec = LeaseSpec()
    api_version: str = "coordination.k8s.io/v1"
    kind: str = "Lease"


class Candidacy:
    """One candidate's view of a lease.

    Whether another's lease has expired is judged by when its record last changed here: the clock
    of another machine may be wrong.
    """

    def __init__(self, identity: str, pace: LeasePace) -> None:
        self._identity = identity
        self._pace = pace
        self._seen: LeaseSpec | None = None
        self._seen_at = -math.inf

    def may_hold(self, lease: Lease, now: float) -> bool:
        """Take note of the record, and tell whether it may be replaced."""
        spec = lease.spec
        if spec != self._seen:
            self._seen, self._seen_at = spec, now
        if not spec.holder_identity or spec.holder_identity == self._identity:
            return True
        return now >= self._seen_at + (spec.lease_duration_seconds or self._pace.duration_s)

    def taken(self, lease: Lease, wall: datetime) -> Lease:
        """Return the lease as this candidate takes or renews it."""
        spec, stamp = lease.spec, _stamp(wall)
        mine = spec.holder_identity == self._identity
        taken = LeaseSpec(
            holder_identity=self._identity,
            lease_duration_seconds=self._pace.duration_s,
            acquire_time=spec.acquire_time if mine else stamp,
            renew_time=stamp,
            lease_transitions=(spec.lease_transitions or 0) + (not mine),
        )
        return msgspec.structs.replace(lease, spec=taken)

    def first(self, namespace: str, name: str, wall: datetime) -> Lease:
        """Return a lease where there was none."""
        created = self.taken(Lease({"namespace": namespace, "name": name}), wall)
        spec = msgspec.structs.replace(created.spec, lease_transitions=0)
        return msgspec.structs.replace(created, spec=spec)

    def released(self, lease: Lease, wall: datetime) -> Lease:
        """Return the lease as the leader leaves it: free at once."""
        free = msgspec.structs.replace(
            lease.spec, holder_identity="", lease_duration_seconds=1, renew_time=_stamp(wall)
        )
        return msgspec.structs.replace(lease, spec=free)


def _stamp(wall: datetime) -> str:
    """Return a MicroTime, which has exactly six digits after the second."""
    return wall.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
