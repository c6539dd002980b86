"""Policies by which Envoy Gateway itself calls a picker, without AI Gateway."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import find, items, text
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests


def extension_fail_open(manifests: Manifests) -> Iterator[Spot]:
    """An EnvoyExtensionPolicy lets requests go on without the picker: they go where the client's
    own header says."""
    pickers = {pool.picker for pool in manifests.pools}
    for policy in manifests.of("EnvoyExtensionPolicy"):
        for processor in items(policy.root, "spec", "extProc"):
            open_ = find(processor, "failOpen")
            named = {text(backend, "name") for backend in items(processor, "backendRefs")}
            if open_ is not None and open_.value is True and named & pickers:
                yield policy.spot(open_, "failOpen in front of a picker")
