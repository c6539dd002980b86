"""What `cluster.yaml` can say about self-hosted models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

PREFIX = "ai_gateway_"
DEFAULT_ENGINE: Literal["vllm"] = "vllm"

Engine: TypeAlias = Literal[
    "vllm",
    "sglang",
    "trtllm-serve",
    "triton-tensorrt-llm",
    "triton",
    "tgi",
    "lmdeploy",
    "llama.cpp",
    "ollama",
    "none",
]


class SelfHostedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model, and the pool of servers that have it.

    Models may share a pool (a base model and its adapters); all but `name` is then the pool's.
    """

    name: str  # as requests call it
    pool_name: str
    port: int  # of the model servers
    namespace: str = ""  # as ai_gateway_inference_pool_namespace says
    engine: Engine = DEFAULT_ENGINE
    match_labels: Mapping[str, str] = {}  # app: <pool_name>
    replicas: int = 2  # of the picker
    processing_body_mode: Literal["duplex", "buffered"] = "duplex"
    allow_mode_override: bool | None = None  # if buffered: streams would be held back without it
    request_timeout: str = "600s"
    buffer_limit: str = "50Mi"
    max_requests: int | None = None  # Envoy's 1,024
    picker_image: str = ""  # as ai_gateway_picker_image says


class ClusterOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a cluster's template that are about self-hosted models."""

    ai_gateway_inference_pool_enabled: bool = False
    ai_gateway_self_hosted_models: tuple[SelfHostedModel, ...] = ()
    ai_gateway_inference_pool_namespace: str = "default"
    ai_gateway_name: str = "ai-gateway"
    ai_gateway_gateway_namespace: str = ""  # the one of the pools
    ai_gateway_picker_image: str = "epp"
