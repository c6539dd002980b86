"""Whether a pool names a picker that the gateway can call."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.node import Node
from epp.document.problem import did_you_mean
from epp.manifests.lint.look import find, items, text, whole
from epp.manifests.lint.manifest import Manifest, Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.rules.ports import MAX_PORT

_REF = "endpointPickerRef"


def picker_missing(manifests: Manifests) -> Iterator[Spot]:
    """A pool names no picker."""
    for pool in manifests.pools:
        if find(pool.manifest.root, "spec") is not None and not pool.picker:
            yield pool.spot(f"no {_REF} with a name", _REF)


def picker_kind(manifests: Manifests) -> Iterator[Spot]:
    """A pool's picker is something else than a Service."""
    for pool in manifests.pools:
        group = text(pool.manifest.root, "spec", _REF, "group")
        kind = text(pool.manifest.root, "spec", _REF, "kind")
        if kind not in {"", "Service"}:
            yield pool.spot(f"the picker is a {kind}", _REF, "kind")
        elif group:
            yield pool.spot(f"a Service is in the core group, not in {group}", _REF, "group")


def picker_port(manifests: Manifests) -> Iterator[Spot]:
    """The port of a pool's picker is missing or none."""
    for pool in manifests.pools:
        if not pool.picker or 1 <= (pool.picker_port or 0) <= MAX_PORT:
            continue
        written = find(pool.manifest.root, "spec", _REF, "port", "number")
        wrong = "is missing" if written is None else f"is {written.described()}"
        yield pool.spot(f"the picker's port {wrong}", _REF, "port", "number")


def picker_service_unknown(manifests: Manifests) -> Iterator[Spot]:
    """The Service of a pool's picker is not among the given ones, while others are."""
    names = [service.name for service in manifests.services]
    for pool in manifests.pools:
        if names and pool.picker and manifests.service_of(pool) is None:
            elsewhere = " in the pool's namespace" if pool.picker in names else ""
            hint = "" if elsewhere else did_you_mean(pool.picker, names)
            wrong = f'no given Service{elsewhere} is called "{pool.picker}"{hint}'
            yield pool.spot(wrong, _REF, "name")


def picker_service_port(manifests: Manifests) -> Iterator[Spot]:
    """The Service of a pool's picker does not have the port on which it is called."""
    for pool in manifests.pools:
        service, number = manifests.service_of(pool), pool.picker_port or 0
        if service is not None and 1 <= number <= MAX_PORT and _port(service, number) is None:
            wrong = f'the Service "{service.name}" has no port {number}'
            yield pool.spot(wrong, _REF, "port", "number")


def picker_headless_port(manifests: Manifests) -> Iterator[Spot]:
    """The name of a headless Service leads to the pods themselves, so its `targetPort` is not
    used: the gateway calls the pool's port there."""
    for pool in manifests.pools:
        service = manifests.service_of(pool)
        if service is None or not _headless(service):
            continue
        port = _port(service, pool.picker_port or 0)
        target = None if port is None else whole(port, "targetPort")
        if port is not None and target not in {None, pool.picker_port}:
            wrong = f"the pods are called on {pool.picker_port}, not on {target}"
            yield service.spot(port.at("targetPort"), wrong)


def picker_not_headless(manifests: Manifests) -> Iterator[Spot]:
    """The gateway keeps one connection to a Service with an address, so that only one of its pods
    is asked."""
    for pool in manifests.pools:
        service = manifests.service_of(pool)
        if service is not None and not _headless(service):
            wrong = f'the Service "{service.name}" of the picker is not headless'
            yield service.spot(service.root.at("spec"), wrong)


def _headless(service: Manifest) -> bool:
    return text(service.root, "spec", "clusterIP") == "None"


def _port(service: Manifest, number: int) -> Node | None:
    ports = items(service.root, "spec", "ports")
    return next((port for port in ports if whole(port, "port") == number), None)
