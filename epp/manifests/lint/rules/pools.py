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
    """No given workload makes pods with the labels that a pool selects, while others are given."""
    for pool in manifests.pools:
        servers = _model_servers(manifests, pool)
        if pool.selector and servers and not any(s.selected_by(pool.selector) for s in servers):
            wanted = ", ".join(f"{key}={value}" for key, value in pool.selector.items())
            yield pool.spot(f"no given workload has {wanted}", "selector", "matchLabels")


def _model_servers(manifests: Manifests, pool: Pool) -> list[Workload]:
    pickers = {id(picker.manifest) for _, picker in manifests.pickers()}
    return [
        workload
        for workload in manifests.workloads
        if id(workload.manifest) not in pickers
        and workload.picker is None
        and same_namespace(workload.manifest.namespace, pool.manifest.namespace)
        and not _another_pools(manifests, pool, workload)
    ]


def _another_pools(manifests: Manifests, pool: Pool, workload: Workload) -> bool:
    return any(
        other is not pool and workload.selected_by(other.selector) for other in manifests.pools
    )


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


def picker_selected(manifests: Manifests) -> Iterator[Spot]:
    """A pool selects the pods of its own picker, which would get the requests for the model."""
    for pool, picker in manifests.pickers():
        if picker.selected_by(pool.selector):
            name = picker.manifest.name
            shared = ", ".join(labels(picker.template, "metadata", "labels").keys() & pool.selector)
            yield pool.spot(
                f'the picker "{name}" has the selected labels too ({shared})', "selector"
            )
