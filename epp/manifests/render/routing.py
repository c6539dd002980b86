"""The pool and the way to it."""

from __future__ import annotations

import re

from epp.manifests.names import (
    AI_GATEWAY_GROUP,
    BODY_MODE,
    ENGINE_LABEL,
    ENVOY_GATEWAY_GROUP,
    GATEWAY_GROUP,
    MODE_OVERRIDE,
    MODEL_HEADER,
    POOL_GROUP,
)
from epp.manifests.render.options import DEFAULT_ENGINE
from epp.manifests.render.pool import Pool
from epp.manifests.render.yaml_text import Noted, Value

GRPC_PORT = 9002
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def inference_pool(pool: Pool) -> dict[str, Value]:
    """Return the InferencePool."""
    mode, override = pool.options.processing_body_mode, str(pool.override).lower()
    annotations: dict[str, Value] = {
        BODY_MODE: Noted(
            mode,
            "How the gateway sends bodies to the picker. Only exactly these words count: anything "
            "else is silently taken for duplex and for false.",
        ),
        MODE_OVERRIDE: override,
    }
    return {
        "apiVersion": f"{POOL_GROUP}/v1",
        "kind": "InferencePool",
        "metadata": {"name": pool.name, "namespace": pool.namespace, "annotations": annotations},
        "spec": {
            "selector": _selector(pool),
            "targetPorts": [{"number": pool.options.port}],
            "endpointPickerRef": {
                "name": pool.picker,
                "port": {"number": GRPC_PORT},
                "failureMode": Noted(
                    "FailClose", "FailOpen would be ignored: two pickers are what helps."
                ),
            },
        },
    }


def _selector(pool: Pool) -> Value:
    selector: Value = {"matchLabels": dict(pool.match_labels)}
    if pool.options.engine == DEFAULT_ENGINE:
        return selector
    label = f"{ENGINE_LABEL}: {pool.options.engine}"
    return Noted(selector, f"The pods need the label {label} too: it says whose metrics they have.")


def route(pool: Pool) -> dict[str, Value]:
    """Return the AIGatewayRoute."""
    parent: dict[str, Value] = {
        "group": GATEWAY_GROUP,
        "kind": "Gateway",
        "name": pool.gateway,
    }
    if pool.gateway_namespace != pool.namespace:
        parent["namespace"] = Noted(
            pool.gateway_namespace,
            f"The Gateway's listener must allow routes from {pool.namespace}.",
        )
    return {
        "apiVersion": f"{AI_GATEWAY_GROUP}/v1beta1",
        "kind": "AIGatewayRoute",
        "metadata": {"name": pool.name, "namespace": pool.namespace},
        "spec": {"parentRefs": [parent], "rules": [_rule(pool)]},
    }


def _rule(pool: Pool) -> dict[str, Value]:
    timeout = Noted(
        pool.options.request_timeout,
        "Of the whole answer, its last token included; without it 60s. A stream that takes longer "
        "is cut. 0s means no limit.",
    )
    return {
        "matches": [{"headers": [_model_header(pool)]}],
        "backendRefs": [{"group": POOL_GROUP, "kind": "InferencePool", "name": pool.name}],
        "timeouts": {"request": timeout},
    }


def _model_header(pool: Pool) -> Value:
    if len(pool.models) == 1:
        return {"type": "Exact", "name": MODEL_HEADER, "value": pool.models[0]}
    return Noted(
        {
            "type": "RegularExpression",
            "name": MODEL_HEADER,
            "value": "|".join(_SPECIAL.sub(r"\\\g<0>", name) for name in pool.models),
        },
        "One match for all models of the pool: for each match more, the picker would be asked once "
        "more. In exchange, the gateway's own /v1/models does not list them.",
    )


def backend_traffic_policy(pool: Pool) -> dict[str, Value]:
    """Return the limits of the connections to the pool's servers."""
    spec: dict[str, Value] = {
        "targetRefs": Noted(
            [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": pool.name}],
            "An AIGatewayRoute becomes an HTTPRoute of the same name.",
        ),
        "mergeType": Noted(
            "StrategicMerge",
            "A policy of the whole Gateway, if there is one, stays in force for all else.",
        ),
        "connection": Noted(
            {"bufferLimit": pool.options.buffer_limit},
            "The longest answer that can be held, where answers are buffered; without it 32Ki.",
        ),
    }
    if pool.options.max_requests is not None:
        limit = pool.options.max_requests
        spec["circuitBreaker"] = Noted(
            {
                "maxConnections": limit,
                "maxPendingRequests": limit,
                "maxParallelRequests": limit,
            },
            "For the cluster of the model servers; without it 1,024 at a time. The gateway makes "
            "the picker's cluster by itself, after all policies, also with 1,024: raise it in the "
            "bootstrap of the EnvoyProxy, by the runtime keys "
            f"circuit_breakers.envoy.clusters.endpointpicker_{pool.name}_{pool.namespace}"
            "_ext_proc.default.max_requests, .max_pending_requests and .max_connections.",
        )
    return {
        "apiVersion": f"{ENVOY_GATEWAY_GROUP}/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": {"name": pool.name, "namespace": pool.namespace},
        "spec": spec,
    }


def client_traffic_policy(pool: Pool) -> dict[str, Value]:
    """Return what clients may send to the Gateway of `pool`."""
    return {
        "apiVersion": f"{ENVOY_GATEWAY_GROUP}/v1alpha1",
        "kind": "ClientTrafficPolicy",
        "metadata": {"name": f"{pool.gateway}-inference", "namespace": pool.gateway_namespace},
        "spec": {
            "targetRefs": Noted(
                [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": pool.gateway}],
                "A Gateway has one such policy, the oldest: if there is one already, put what is "
                "below into that one.",
            ),
            "connection": Noted(
                {"bufferLimit": pool.request_limit},
                "The longest request. The default, 32Ki, is shorter than many prompts: an "
                "AIGatewayRoute answers 413 above it.",
            ),
            "headers": Noted(
                {
                    "earlyRequestHeaders": {
                        "remove": ["x-gateway-destination-endpoint", MODEL_HEADER]
                    }
                },
                "The first says where a request goes, the second which model it is for: no client "
                "may bring them.",
            ),
        },
    }
