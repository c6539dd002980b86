"""Whether a given picker can do its work."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import items, text, whole
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.pool import Pool
from epp.manifests.lint.workload import Container, Workload

PICKER_DRAIN_S = 30.0  # of the picker, if --drain-timeout does not say otherwise
_GRACE_S = 30  # of Kubernetes


def picker_insecure(manifests: Manifests) -> Iterator[Spot]:
    """The picker of a pool speaks plaintext, but the gateway always calls it by TLS: every request
    is a 500."""
    for pool, picker in manifests.pickers():
        for container in () if _called_otherwise(manifests, pool) else picker.containers:
            name = "insecure" if container.switched_on("insecure") else "secure-serving"
            # The second one is what other pickers call it.
            if name == "insecure" or container.value(name) == "false":
                wrong = "the picker does not speak TLS"
                yield picker.manifest.spot(container.flags(name)[-1], wrong)


def _called_otherwise(manifests: Manifests, pool: Pool) -> bool:
    """Tell whether Envoy Gateway's own policy calls the picker, and no route leads to the pool."""
    named = {
        text(backend, "name")
        for policy in manifests.of("EnvoyExtensionPolicy")
        for processor in items(policy.root, "spec", "extProc")
        for backend in items(processor, "backendRefs")
    }
    routed = any(b.is_pool and manifests.pool_of(b) is pool for b in manifests.backends())
    return pool.picker in named and not routed


def picker_selected(manifests: Manifests) -> Iterator[Spot]:
    """A pool selects the pods of its own picker, which then get requests for the model."""
    for pool, picker in manifests.pickers():
        if picker.selected_by(pool.selector):
            wrong = f'the pods of the picker "{picker.manifest.name}" are selected too'
            yield pool.spot(wrong, "selector", "matchLabels")


def picker_grace(manifests: Manifests) -> Iterator[Spot]:
    """A picker is killed while it waits for open answers, which cuts them."""
    for workload in manifests.workloads:
        picker = workload.picker
        grace_s = whole(workload.template, "spec", "terminationGracePeriodSeconds")
        needed_s = 0.0 if picker is None else _drain_s(picker) + _pre_stop_s(picker)
        allowed_s = _GRACE_S if grace_s is None else grace_s
        if picker is not None and allowed_s < needed_s:
            yield _grace_spot(workload, allowed_s, needed_s)


def _grace_spot(workload: Workload, allowed_s: float, needed_s: float) -> Spot:
    node = workload.template.at("spec", "terminationGracePeriodSeconds")
    wrong = f"killed after {allowed_s:g} s, but preStop and the drain take up to {needed_s:g} s"
    return workload.manifest.spot(node, wrong)


def _drain_s(picker: Container) -> float:
    try:
        return float(picker.value("drain-timeout"))
    except ValueError:
        return PICKER_DRAIN_S


def _pre_stop_s(picker: Container) -> int:
    return whole(picker.node, "lifecycle", "preStop", "sleep", "seconds") or 0


def picker_pool(manifests: Manifests) -> Iterator[Spot]:
    """A picker serves another pool than the one that refers to it."""
    for pool, workload in manifests.pickers():
        for container in workload.containers:
            served = container.flags("pool")
            names = [container.value("pool").rpartition("/")[2]]
            if len(served) == 1 and names != [pool.manifest.name]:
                wrong = (
                    f'the pool "{pool.manifest.name}" refers to this picker, which serves another'
                )
                yield workload.manifest.spot(served[0], wrong)
