"""Policies by which Envoy Gateway itself calls a picker, without AI Gateway."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.node import Node
from epp.manifests.lint.look import find, items, text
from epp.manifests.lint.manifest import Manifest, Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.quantity import duration_s

_PATIENT_S = 1.0
_DEFAULT = "200ms"


def extension_timeout(manifests: Manifests) -> Iterator[Spot]:
    """An EnvoyExtensionPolicy in buffered mode gives the picker less than a second, by default
    200 ms: a picker under load, or one that lets requests wait, is answered for with 504."""
    for policy, processor in _pickers(manifests):
        if text(processor, "processingMode", "request", "body") != "Buffered":
            continue
        written = find(processor, "messageTimeout")
        limit = _DEFAULT if written is None else str(written.value)
        seconds = duration_s(limit)
        if seconds is not None and seconds < _PATIENT_S:
            yield policy.spot(written or processor, f"messageTimeout is {limit}")


def extension_fail_open(manifests: Manifests) -> Iterator[Spot]:
    """An EnvoyExtensionPolicy lets requests go on without the picker: they go where the client's
    own header says."""
    for policy, processor in _pickers(manifests):
        open_ = find(processor, "failOpen")
        if open_ is not None and open_.value is True:
            yield policy.spot(open_, "failOpen in front of a picker")


def _pickers(manifests: Manifests) -> Iterator[tuple[Manifest, Node]]:
    """Return the calls of pickers, and the policy of each."""
    pickers = {pool.picker for pool in manifests.pools}
    for policy in manifests.of("EnvoyExtensionPolicy"):
        for processor in items(policy.root, "spec", "extProc"):
            named = {text(backend, "name") for backend in items(processor, "backendRefs")}
            if named & pickers:
                yield policy, processor
