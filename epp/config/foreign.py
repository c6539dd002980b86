"""What llm-d-router's configuration can say and this picker cannot do yet.

It is refused, never ignored: who asked for flow control must not believe to have it.
"""

from __future__ import annotations

from epp.document.problem import did_you_mean

_NOT_YET = "is not supported by this picker yet; remove it"

SECTIONS = {
    "dataLayer": "is not supported by this picker yet; remove it: endpoints come from --endpoint "
    "or --endpoints-file, and their metrics are scraped without it",
    "parser": "is an older spelling; use requestHandler.parsers",
    "saturationDetector": _NOT_YET,
}

# Of llm-d-router's flowControl, what has no counterpart, by its place.
FLOW_CONTROL = {
    "saturationDetector": "has no counterpart; remove it: a replica is closed when a request could "
    "not meet flowControl.targets there",
    "usageLimitPolicyPluginRef": "has no counterpart; remove it: there is one limit for all, the "
    "targets, and higher priorities go first",
    "noEndpointRequestTTL": "has no counterpart; remove it: a request for an empty pool is refused "
    "at once",
    "enableEviction": "has no counterpart; remove it: an answer that has begun is not taken back",
    "defaultPriorityBand": "has no counterpart; write the priorities into priorityBands",
    "defaultNegativePriorityBand": "has no counterpart; write the priorities into priorityBands",
}
BAND = {
    "fairnessPolicyRef": "has no counterpart; remove it: the flows of one priority always share by "
    "the work of their requests",
    "orderingPolicyRef": "has no counterpart; use flowControl.ordering, for all priorities",
}

FEATURE_GATES = frozenset({"flowControl", "haPopulateNonLeaderDatastore"})

# Where there is something better to say than "remove it".
_FAIR = "is built in here: the flows of one priority share by work; remove it"
_ADVICE = {
    "file-discovery": "is the flag --endpoints-file here; remove it",
    "metrics-data-source": "is built in here; remove it",
    "core-metrics-extractor": "is built in here; its engineConfigs are the block engines",
    "precise-prefix-cache-scorer": "is a prefix-cache-scorer here, with the parameter "
    "prefixMatchInfoProducerName: precise-prefix-cache-producer; write it so",
    "endpoint-notification-source": "is built in here; remove it",
    "fcfs-ordering-policy": "is flowControl.ordering here; remove it",
    "global-strict-fairness-policy": _FAIR,
    "round-robin-fairness-policy": _FAIR,
}

_PLUGINS = frozenset(
    """
    agent-identity always-disagg-multimodal-decider always-disagg-pd-decider
    burst-prefix-cache-producer by-label by-label-selector concurrency-detector
    data-parallel-profile-handler dcgm-data-source dcgm-extractor
    decode-filter destination-endpoint-served-verifier disagg-headers-handler
    disagg-profile-handler disaggregatedset-rollout-screener edf-ordering-policy
    encode-filter endpoint-attribute-filter endpoint-attribute-scorer
    fcfs-ordering-policy global-strict-fairness-policy
    header-label-affinity-scorer header-profile-handler k8s-notification-source
    latency-slo-admitter mm-embeddings-cache-producer
    mm-embeddings-cache-scorer models-data-extractor models-data-source
    multicluster-file-discovery multicluster-kv-cache-utilization-scorer
    multicluster-metrics-data-source multicluster-metrics-extractor
    multicluster-prefix-cache-scorer multicluster-queue-scorer
    p2p-source-producer pd-profile-handler predicted-latency-producer prefill-filter
    prefill-header-handler prefix-based-pd-decider
    priority-holdback-policy probabilistic-admitter program-aware-fairness
    request-attribute-reporter round-robin-fairness-policy session-affinity-filter
    sglanghttp-parser slo-deadline-ordering-policy slo-headroom-tier-filter
    soft-reflective-ceiling-policy static-usage-limit-policy
    token-producer topology-affinity-filter topology-affinity-scorer topology-extractor
    utilization-detector vertexai-parser
    """.split()
)


def plugin(type_name: str) -> str | None:
    """Return why a plugin type of llm-d-router cannot be had here; None: it has no such type."""
    if type_name in _ADVICE:
        return _ADVICE[type_name]
    return _NOT_YET if type_name in _PLUGINS else None


def feature_gate(gate: str) -> str | None:
    """Return what is wrong with an entry of `featureGates`.

    Switching off what is not there is what the picker does anyway.
    """
    name, _, setting = gate.partition("=")
    if name not in FEATURE_GATES:
        return f"is unknown{did_you_mean(name, FEATURE_GATES)}"
    if name == "flowControl":  # the block of that name says it all
        return None
    return None if setting.lower() == "false" else _NOT_YET
