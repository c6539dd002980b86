"""A pool as it is rendered: options of its models, with every default filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from epp.manifests.quantity import duration_s, quantity_bytes
from epp.manifests.render.options import ClusterOptions, SelfHostedModel

_DEFAULT_DRAIN_S = 300  # where requests have no limit
_GIB = 1 << 30


class Pool(msgspec.Struct, frozen=True):
    """One InferencePool with its picker and its route."""

    models: tuple[str, ...]
    options: SelfHostedModel  # what all of its models have in common
    namespace: str
    gateway: str
    gateway_namespace: str
    request_limit: str  # of the Gateway, so of all of its pools
    image: str

    @property
    def name(self) -> str:
        """Return its name."""
        return self.options.pool_name

    @property
    def picker(self) -> str:
        """Return the name of all objects of its picker."""
        return f"{self.name}-epp"

    @property
    def match_labels(self) -> Mapping[str, str]:
        """Return the labels of its pods."""
        return self.options.match_labels or {"app": self.name}

    @property
    def picker_labels(self) -> Mapping[str, str]:
        """Return the labels of its picker."""
        return {"app.kubernetes.io/name": "epp", "app.kubernetes.io/instance": self.picker}

    @property
    def override(self) -> bool:
        """Tell whether the picker may change the body mode."""
        allowed = self.options.allow_mode_override
        return self.options.processing_body_mode == "buffered" if allowed is None else allowed

    @property
    def request_limit_bytes(self) -> int:
        """Return the length of the longest request."""
        return _bytes(self.request_limit)

    @property
    def drain_s(self) -> int:
        """Return how long its picker waits for open answers: as long as they may take."""
        return math.ceil(duration_s(self.options.request_timeout) or _DEFAULT_DRAIN_S)

    @property
    def memory(self) -> str:
        """Return what its picker may use: 1 GiB, and room for 20 of the longest requests."""
        gib = 1 + -(-20 * self.request_limit_bytes // _GIB)
        return f"{gib}Gi"


def pools_of(options: ClusterOptions) -> list[Pool]:
    """Return the pools in the order in which they are named first."""
    limits = [model.buffer_limit for model in options.ai_gateway_self_hosted_models]
    models: dict[tuple[str, str], list[SelfHostedModel]] = {}
    for model in options.ai_gateway_self_hosted_models:
        namespace = model.namespace or options.ai_gateway_inference_pool_namespace
        models.setdefault((namespace, model.pool_name), []).append(model)
    return [
        Pool(
            models=tuple(model.name for model in sharing),
            options=sharing[0],
            namespace=namespace,
            gateway=options.ai_gateway_name,
            gateway_namespace=options.ai_gateway_gateway_namespace
            or options.ai_gateway_inference_pool_namespace,
            request_limit=max(limits, key=_bytes),
            image=sharing[0].picker_image or options.ai_gateway_picker_image,
        )
        for (namespace, _), sharing in models.items()
    ]


def _bytes(size: str) -> int:
    return quantity_bytes(size) or 0
