"""Which pods a pool has, and what the gateway makes of the rest of it."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import find, labels, text
from epp.manifests.lint.manifest import Spot, same_namespace
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.pool import Pool
from epp.manifests.lint.workload import Workload


def selector_missing(manifests: Manifests) -> Iterator[Spot]:
    """A pool selects its pods by nothing, or by something else than `matchLabels`."""
    for pool in manifests.pools:
        if find(pool.manifest.root, "spec") is not None and not pool.selector:
            yield pool.spot("no selector.matchLabels", "selector")


def selector_matches_nothing(manifests: Manifests) -> Iterator[Spot]:
    """No given workload makes pods with the labels that a pool selects, but there is one whose
    pods have other values of them."""
    for pool in manifests.pools:
        near = [w for w in manifests.workloads if _comes_near(w, pool)]
        if near and not manifests.selected(pool.selector, pool.manifest.namespace):
            wanted = ", ".join(f"{key}={value}" for key, value in pool.selector.items())
            name = near[0].manifest.name
            wrong = f'no given workload has {wanted}; "{name}" has other values'
            yield pool.spot(wrong, "selector", "matchLabels")


def _comes_near(workload: Workload, pool: Pool) -> bool:
    keys = labels(workload.template, "metadata", "labels").keys()
    here = same_namespace(workload.manifest.namespace, pool.manifest.namespace)
    return here and bool(pool.selector) and pool.selector.keys() <= keys


def fail_open_ignored(manifests: Manifests) -> Iterator[Spot]:
    """`failureMode: FailOpen` is ignored: without its picker a pool gets no requests."""
    for pool in manifests.pools:
        if text(pool.manifest.root, "spec", "endpointPickerRef", "failureMode") == "FailOpen":
            yield pool.spot("FailOpen is ignored", "endpointPickerRef", "failureMode")


def app_protocol(manifests: Manifests) -> Iterator[Spot]:
    """`appProtocol` is ignored: Envoy speaks HTTP/1.1 to the pods."""
    for pool in manifests.pools:
        protocol = text(pool.manifest.root, "spec", "appProtocol")
        if protocol not in {"", "http"}:
            yield pool.spot(f"{protocol} is not honoured", "appProtocol")
