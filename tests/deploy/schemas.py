"""What deploy/ uses of kinds that are not Kubernetes' own, and nothing else.

Written from what the gateways document; each field that a manifest has must be here. In a field
list, `!` marks what must be there.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string", "minLength": 1}
STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
BOOLEAN: Schema = {"type": "boolean"}
NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 4294967295}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"}
QUANTITY: Schema = {"type": "string", "pattern": r"^[1-9][0-9]*(Ki|Mi|Gi|k|M|G)?$"}
HEADER: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$"}


def closed(**fields: Any) -> Schema:
    """An object with these fields and no other; names are as in `named`."""
    return named(fields)


def named(fields: dict[str, Any], **more: Any) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name[:-1] for name in fields if name.endswith("!")],
        "properties": {name.removesuffix("!"): schema for name, schema in fields.items()},
        **more,
    }


def many(items: Schema, at_most: int, **more: Any) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": at_most, **more}


def one_of(*values: Any) -> Schema:
    return {"enum": list(values)}


def reference(group: str, kind: str, **more: Schema) -> Schema:
    return named({"group!": one_of(group), "kind!": one_of(kind), "name!": NAME, **more})


GATEWAY_GROUP = "gateway.networking.k8s.io"
EG_GROUP = "gateway.envoyproxy.io"
AIG_GROUP = "aigateway.envoyproxy.io"
POOL_GROUP = "inference.networking.k8s.io"

GATEWAY = reference(GATEWAY_GROUP, "Gateway", namespace=NAME, sectionName=NAME)
ROUTE = reference(GATEWAY_GROUP, "HTTPRoute", sectionName=NAME)
POOL = reference(POOL_GROUP, "InferencePool", namespace=NAME, weight=COUNT)
BREAKER = closed(
    maxConnections=COUNT,
    maxPendingRequests=COUNT,
    maxParallelRequests=COUNT,
    maxParallelRetries=COUNT,
)
METADATA_KEY = named({"namespace!": STRING, "key!": STRING})

# --- Gateway API ----------------------------------------------------------------------------

GATEWAY_CLASS = named({"controllerName!": STRING})
GATEWAY_SPEC = named(
    {
        "gatewayClassName!": NAME,
        "listeners!": many(
            named({"name!": NAME, "protocol!": one_of("HTTP", "HTTPS"), "port!": PORT}), 64
        ),
        "infrastructure": closed(parametersRef=reference(EG_GROUP, "EnvoyProxy")),
    }
)
HTTP_ROUTE = named(
    {
        "parentRefs!": many(GATEWAY, 32),
        "hostnames": many(STRING, 16),
        "rules!": many(
            named(
                {
                    "matches": many(
                        closed(
                            path=named(
                                {
                                    "type!": one_of("Exact", "PathPrefix"),
                                    "value!": {"type": "string", "pattern": "^/"},
                                }
                            )
                        ),
                        64,
                    ),
                    "backendRefs!": {
                        "type": "array",
                        "minItems": 1,
                        "oneOf": [
                            # Envoy Gateway's extension takes no second pool in a rule.
                            {"items": POOL, "maxItems": 1},
                            {"items": named({"name!": NAME, "port!": PORT, "weight": COUNT})},
                        ],
                    },
                    "timeouts": closed(request=DURATION, backendRequest=DURATION),
                }
            ),
            16,
        ),
    }
)
BACKEND_TLS_POLICY = named(
    {
        "targetRefs!": many(reference(EG_GROUP, "Backend"), 16),
        "validation!": named({"wellKnownCACertificates!": one_of("System"), "hostname!": STRING}),
    }
)

# --- Gateway API Inference Extension ----------------------------------------------------------

INFERENCE_POOL = named(
    {
        "selector!": named({"matchLabels!": STRINGS | {"minProperties": 1, "maxProperties": 64}}),
        "targetPorts!": many(named({"number!": PORT}), 8, uniqueItems=True),
        "appProtocol": one_of("http", "kubernetes.io/h2c"),
        "endpointPickerRef!": named(
            {
                "group": one_of(""),
                "kind": one_of("Service"),
                "name!": NAME,
                "port!": named({"number!": PORT}),
                "failureMode": one_of("FailOpen", "FailClose"),
            }
        ),
    }
)

# --- Envoy AI Gateway ---------------------------------------------------------------------------

MODEL_MATCH = named(
    {
        "headers!": many(
            named(
                {
                    "type": one_of("Exact", "RegularExpression"),
                    "name!": HEADER,
                    "value!": STRING,
                }
            ),
            16,
        )
    }
)
COST_TYPES = (
    "InputToken CachedInputToken CacheCreationInputToken OutputToken TotalToken ReasoningToken"
).split()
COST: Schema = {
    "oneOf": [
        named({"metadataKey!": STRING, "type!": one_of(*COST_TYPES)}),
        named({"metadataKey!": STRING, "type!": one_of("CEL"), "cel!": STRING}),
    ]
}
AI_GATEWAY_ROUTE = named(
    {
        "parentRefs!": many(GATEWAY, 16),
        "hostnames": many(STRING, 16),
        "rules!": many(
            named(
                {
                    "name": NAME | {"not": one_of("route-not-found")},
                    "matches": many(MODEL_MATCH, 128),
                    "backendRefs!": {
                        "type": "array",
                        "minItems": 1,
                        "oneOf": [
                            {"items": POOL, "maxItems": 1},
                            {
                                "items": named(
                                    {
                                        "name!": NAME,
                                        "namespace": NAME,
                                        "weight": COUNT,
                                        "priority": COUNT,
                                        "modelNameOverride": STRING,
                                    }
                                ),
                                "maxItems": 128,
                            },
                        ],
                    },
                    "timeouts": closed(request=DURATION, backendRequest=DURATION),
                    "streamIdleTimeout": DURATION,
                }
            ),
            15,
        ),
        "llmRequestCosts": many(COST, 36),
    }
)
AI_SERVICE_BACKEND = named(
    {
        "schema!": named({"name!": one_of("OpenAI", "Anthropic", "Cohere"), "prefix": STRING}),
        "backendRef!": reference(EG_GROUP, "Backend", namespace=NAME),
    }
)
BACKEND_SECURITY_POLICY = named(
    {
        "targetRefs!": many(reference(AIG_GROUP, "AIServiceBackend"), 16),
        "type!": one_of("APIKey"),
        "apiKey!": named({"secretRef!": named({"name!": NAME, "namespace": NAME})}),
    }
)

# --- Envoy Gateway --------------------------------------------------------------------------------

BACKEND = named({"endpoints!": many(closed(fqdn=named({"hostname!": STRING, "port!": PORT})), 64)})
CLIENT_TRAFFIC_POLICY = named(
    {
        "targetRefs!": many(GATEWAY, 16),
        "connection": closed(bufferLimit=QUANTITY),
        "headers": closed(earlyRequestHeaders=closed(remove=many(HEADER, 64))),
    }
)
RATE_LIMIT_RULE = named(
    {
        "clientSelectors!": many(
            named({"headers!": many(named({"type!": one_of("Distinct"), "name!": HEADER}), 128)}),
            8,
        ),
        "limit!": named({"requests!": COUNT, "unit!": one_of("Minute", "Hour", "Day")}),
        "cost!": named(
            {
                "request!": named({"from!": one_of("Number"), "number!": COUNT}),
                "response!": named({"from!": one_of("Metadata"), "metadata!": METADATA_KEY}),
            }
        ),
    }
)
BACKEND_TRAFFIC_POLICY = named(
    {
        "targetRefs!": many({"oneOf": [GATEWAY, ROUTE]}, 16),
        "mergeType": one_of("StrategicMerge", "JSONMerge"),
        "circuitBreaker": BREAKER,
        "connection": closed(bufferLimit=QUANTITY),
        "loadBalancer": named(
            {
                "type!": one_of("LeastRequest", "RoundRobin", "Random"),
                "endpointOverride": named({"extractFrom!": many(named({"header!": HEADER}), 10)}),
            }
        ),
        "rateLimit": named(
            {"type!": one_of("Global"), "global!": named({"rules!": many(RATE_LIMIT_RULE, 64)})}
        ),
    },
    # Only what is nearer than the gateway's policy can be merged into it.
    dependentSchemas={"mergeType": {"properties": {"targetRefs": {"items": ROUTE}}}},
)
BODY = closed(body=one_of("Streamed", "Buffered", "BufferedPartial", "FullDuplexStreamed"))
EXT_PROC = named(
    {
        "backendRefs!": many(named({"name!": NAME, "port!": PORT, "namespace": NAME}), 16),
        "backendSettings": closed(circuitBreaker=BREAKER),
        "processingMode!": closed(request=BODY, response=BODY, allowModeOverride=BOOLEAN),
        # Full duplex and going on without an answer exclude each other.
        "failOpen": one_of(False),
        "messageTimeout": DURATION,
        "metadata": closed(
            accessibleNamespaces=many(STRING, 8), writableNamespaces=many(STRING, 8)
        ),
    }
)
ENVOY_EXTENSION_POLICY = named(
    {"targetRefs!": many({"oneOf": [GATEWAY, ROUTE]}, 16), "extProc!": many(EXT_PROC, 16)}
)
SINK = named({"type!": one_of("File"), "file!": named({"path!": STRING})})
ENVOY_PROXY = closed(
    bootstrap=named(
        {
            "type!": one_of("JSONPatch"),
            "jsonPatches!": many(
                named(
                    {
                        "op!": one_of("add"),
                        "path!": {"type": "string", "pattern": "^/"},
                        "value!": {"type": "integer"},
                    }
                ),
                100,
            ),
        }
    ),
    telemetry=closed(
        accessLog=named(
            {
                "settings!": many(
                    named(
                        {
                            "sinks!": many(SINK, 50),
                            "format!": named({"type!": one_of("JSON"), "json!": STRINGS}),
                        }
                    ),
                    50,
                )
            }
        )
    ),
)

# --- Prometheus Operator -----------------------------------------------------------------------

POD_MONITOR = named(
    {
        "selector!": named({"matchLabels!": STRINGS}),
        "podMetricsEndpoints!": many(
            named({"port!": NAME, "path": STRING, "interval": DURATION}), 16
        ),
    }
)

SPECS: dict[tuple[str, str], Schema] = {
    (f"{GATEWAY_GROUP}/v1", "GatewayClass"): GATEWAY_CLASS,
    (f"{GATEWAY_GROUP}/v1", "Gateway"): GATEWAY_SPEC,
    (f"{GATEWAY_GROUP}/v1", "HTTPRoute"): HTTP_ROUTE,
    (f"{GATEWAY_GROUP}/v1", "BackendTLSPolicy"): BACKEND_TLS_POLICY,
    (f"{POOL_GROUP}/v1", "InferencePool"): INFERENCE_POOL,
    (f"{AIG_GROUP}/v1beta1", "AIGatewayRoute"): AI_GATEWAY_ROUTE,
    (f"{AIG_GROUP}/v1beta1", "AIServiceBackend"): AI_SERVICE_BACKEND,
    (f"{AIG_GROUP}/v1beta1", "BackendSecurityPolicy"): BACKEND_SECURITY_POLICY,
    (f"{EG_GROUP}/v1alpha1", "Backend"): BACKEND,
    (f"{EG_GROUP}/v1alpha1", "BackendTrafficPolicy"): BACKEND_TRAFFIC_POLICY,
    (f"{EG_GROUP}/v1alpha1", "ClientTrafficPolicy"): CLIENT_TRAFFIC_POLICY,
    (f"{EG_GROUP}/v1alpha1", "EnvoyExtensionPolicy"): ENVOY_EXTENSION_POLICY,
    (f"{EG_GROUP}/v1alpha1", "EnvoyProxy"): ENVOY_PROXY,
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
}

METADATA = named({"name!": NAME, "namespace": NAME, "labels": STRINGS, "annotations": STRINGS})


def of(api_version: str, kind: str) -> Schema:
    """The schema of a whole object; KeyError for a kind that deploy/ does not use."""
    return named(
        {
            "apiVersion!": one_of(api_version),
            "kind!": one_of(kind),
            "metadata!": METADATA,
            "spec!": SPECS[api_version, kind],
        }
    )
