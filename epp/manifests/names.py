"""What the objects around an InferencePool are called."""

from __future__ import annotations

POOL_GROUP = "inference.networking.k8s.io"
LEGACY_POOL_GROUP = "inference.networking.x-k8s.io"
GATEWAY_GROUP = "gateway.networking.k8s.io"
ENVOY_GATEWAY_GROUP = "gateway.envoyproxy.io"
AI_GATEWAY_GROUP = "aigateway.envoyproxy.io"

MODEL_HEADER = "x-ai-eg-model"
ENGINE_LABEL = "llm-d.ai/engine-type"

ANNOTATION_PREFIX = f"{AI_GATEWAY_GROUP}/"
BODY_MODE = f"{ANNOTATION_PREFIX}processing-body-mode"
MODE_OVERRIDE = f"{ANNOTATION_PREFIX}allow-mode-override"
POOL_ANNOTATIONS = (BODY_MODE, MODE_OVERRIDE)

GATEWAY_BUFFER_BYTES = 32 * 1024  # of Envoy Gateway's listeners and clusters, unless told otherwise
MAX_RULES = 15  # of an AIGatewayRoute: the controller adds one to make the HTTPRoute's 16
