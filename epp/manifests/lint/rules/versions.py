"""Which API versions objects are written for."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.names import LEGACY_POOL_GROUP, POOL_GROUP


def pool_version(manifests: Manifests) -> Iterator[Spot]:
    """An InferencePool is written for an API that the gateway does not route to."""
    for manifest in manifests.of("InferencePool"):
        if manifest.group == LEGACY_POOL_GROUP or (
            manifest.group == POOL_GROUP and manifest.version != "v1"
        ):
            wrong = f"{manifest.group}/{manifest.version} is older than what the gateway knows"
            yield manifest.spot(manifest.root.at("apiVersion"), wrong)


def route_version(manifests: Manifests) -> Iterator[Spot]:
    """An AIGatewayRoute is written for v1alpha1, which is deprecated."""
    for route in manifests.routes:
        version = route.manifest.version
        if route.is_ai and version != "v1beta1":
            yield route.manifest.spot(
                route.manifest.root.at("apiVersion"), f"{version} is deprecated"
            )
