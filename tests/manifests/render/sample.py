"""Pools as tests ask for them."""

from __future__ import annotations

from typing import Any

from epp.manifests.render.options import ClusterOptions, SelfHostedModel
from epp.manifests.render.pool import Pool, pools_of


def model(name: str = "llama", **options: Any) -> SelfHostedModel:
    return SelfHostedModel(**{"name": name, "pool_name": "llama", "port": 8000, **options})


def pool(*models: SelfHostedModel, **options: Any) -> Pool:
    """The one pool of `models`."""
    (one,) = pools_of(ClusterOptions(ai_gateway_self_hosted_models=models or (model(),), **options))
    return one
