"""The pool that an object of llm-d.ai belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import KIND, Pool
from epp.kube.objects import KubeObject

GROUP = "llm-d.ai"
VERSION = "v1alpha2"


class PoolRef(msgspec.Struct, frozen=True):
    """`spec.poolRef`."""

    group: str = GROUP  # the API server's own default, though the group has no pools
    kind: str = KIND
    name: str = ""


class PoolMemberSpec(msgspec.Struct, frozen=True, rename="camel"):
    """The part of `spec` that such objects share."""

    pool_ref: PoolRef = PoolRef()


class PoolMember(KubeObject, frozen=True):
    """An object that belongs to a pool of its namespace."""

    spec: PoolMemberSpec = PoolMemberSpec()


M = TypeVar("M", bound=PoolMember)


def belonging(pool: Pool, kind: str, objects: Iterable[M], complaints: list[Complaint]) -> list[M]:
    """Return those of `objects` that belong to `pool`, the oldest first.

    One that names the pool but not its group belongs to it as little as for llm-d-router, and is
    complained of: nothing else would tell its author.
    """
    ours = []
    for one in sorted(objects, key=_age):
        ref, meta = one.spec.pool_ref, one.metadata
        if ref.name != pool.name or ref.kind != KIND or meta.deletion_timestamp is not None:
            continue
        if ref.group == pool.group:
            ours.append(one)
        elif ref.group in {GROUP, ""}:
            text = f'is "{ref.group}", which has no pools; write {pool.group}'
            name = f"{meta.namespace}/{meta.name}"
            complaints.append(Complaint(kind, name, "spec.poolRef.group", text))
    return ours


def _age(one: PoolMember) -> tuple[str, str]:
    return one.metadata.creation_timestamp, one.metadata.name
