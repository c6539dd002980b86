"""Every rule, in the order in which the documentation lists them."""

from __future__ import annotations

from epp.manifests.lint.rule import ERROR, WARNING, Rule
from epp.manifests.lint.rules import (
    access,
    backends,
    bodies,
    costs,
    extensions,
    limits,
    matches,
    picker_refs,
    pickers,
    pool_annotations,
    pools,
    ports,
    references,
    timeouts,
    versions,
)

_ONE_EACH = "give each its own rule"
_SPLIT = "split it"
_V1 = "write apiVersion: inference.networking.k8s.io/v1"

RULES = (
    Rule("one-pool-per-rule", ERROR, backends.one_pool_per_rule, _ONE_EACH),
    Rule("mixed-backends", ERROR, backends.mixed_backends, _ONE_EACH),
    Rule(
        "group-with-kind",
        ERROR,
        backends.group_with_kind,
        "write both for an InferencePool, neither for an AIServiceBackend",
    ),
    Rule(
        "backend-kind",
        ERROR,
        backends.backend_kind,
        "write group: inference.networking.k8s.io and kind: InferencePool for a pool; leave out "
        "both for an AIServiceBackend",
    ),
    Rule(
        "pool-port",
        WARNING,
        backends.pool_port,
        "remove it, and set the port in the pool's targetPorts",
    ),
    Rule(
        "pool-fields-ignored",
        WARNING,
        backends.pool_fields_ignored,
        "remove it; the picker can rewrite models, and chooses among the pods",
    ),
    Rule(
        "pool-weight",
        WARNING,
        backends.pool_weight,
        "remove it; shares between pools need a rule each",
    ),
    Rule("too-many-rules", ERROR, limits.too_many_rules, "use several routes"),
    Rule("too-many-matches", ERROR, limits.too_many_matches, _SPLIT),
    Rule("too-many-backends", ERROR, limits.too_many_backends, _SPLIT),
    Rule("too-many-headers", ERROR, limits.too_many_headers, "match fewer"),
    Rule(
        "pool-matched-twice",
        WARNING,
        matches.pool_matched_twice,
        "join them to one match, for example by a RegularExpression, or use a pool each",
    ),
    Rule("same-match-twice", WARNING, matches.same_match_twice, "remove one of the two"),
    Rule(
        "model-header-unset",
        WARNING,
        matches.model_header_unset,
        "use an AIGatewayRoute to route by model",
    ),
    Rule(
        "bad-duration",
        ERROR,
        timeouts.bad_duration,
        "write up to four whole numbers with h, m, s or ms, such as 10m or 1h30m",
    ),
    Rule(
        "short-timeout",
        WARNING,
        timeouts.short_timeout,
        "set it to the longest answer that you expect, such as 600s; 0s means no limit",
    ),
    Rule(
        "unknown-pool",
        WARNING,
        references.unknown_pool,
        "mend the name or the namespace",
    ),
    Rule(
        "missing-reference-grant",
        WARNING,
        references.missing_reference_grant,
        "add one in the pool's namespace, or move the route there",
    ),
    Rule("pool-version", WARNING, versions.pool_version, _V1),
    Rule(
        "route-version",
        WARNING,
        versions.route_version,
        "write apiVersion: aigateway.envoyproxy.io/v1beta1",
    ),
    Rule("target-ports-count", ERROR, ports.target_ports_count, "list 1 to 8 ports"),
    Rule("target-port-range", ERROR, ports.target_port_range, "write a port from 1 to 65535"),
    Rule("target-port-twice", ERROR, ports.target_port_twice, "remove one of the two"),
    Rule(
        "selector-missing",
        ERROR,
        pools.selector_missing,
        "write selector.matchLabels with the labels of the model servers' pods",
    ),
    Rule(
        "selector-matches-nothing",
        WARNING,
        pools.selector_matches_nothing,
        "make the labels those of the workload's pod template",
    ),
    Rule(
        "fail-open-ignored",
        WARNING,
        pools.fail_open_ignored,
        "run two replicas of the picker, and write FailClose",
    ),
    Rule("app-protocol", WARNING, pools.app_protocol, "remove it"),
    Rule("annotation-type", ERROR, pool_annotations.annotation_type, "put the value in quotes"),
    Rule("annotation-slash", ERROR, pool_annotations.annotation_slash, "remove the slash"),
    Rule("body-mode-value", ERROR, pool_annotations.body_mode_value, "write one of the two"),
    Rule(
        "mode-override-value", ERROR, pool_annotations.mode_override_value, "write one of the two"
    ),
    Rule(
        "annotation-name", WARNING, pool_annotations.annotation_name, "mend the name or remove it"
    ),
    Rule(
        "annotation-misplaced",
        WARNING,
        pool_annotations.annotation_misplaced,
        "move it to the InferencePool",
    ),
    Rule(
        "stream-held-back",
        WARNING,
        bodies.stream_held_back,
        'set aigateway.envoyproxy.io/allow-mode-override to "true"',
    ),
    Rule(
        "buffer-limit",
        WARNING,
        bodies.buffer_limit,
        "add a ClientTrafficPolicy with connection.bufferLimit: 50Mi",
    ),
    Rule(
        "buffer-above-picker",
        WARNING,
        bodies.buffer_above_picker,
        "raise the picker's --max-body-bytes to the gateway's limit",
    ),
    Rule(
        "picker-missing",
        ERROR,
        picker_refs.picker_missing,
        "write endpointPickerRef with the picker's Service and its port",
    ),
    Rule(
        "picker-kind",
        ERROR,
        picker_refs.picker_kind,
        "refer to a Service; leave out group and kind",
    ),
    Rule("picker-port", ERROR, picker_refs.picker_port, "write port.number: 9002"),
    Rule(
        "picker-service-unknown",
        WARNING,
        picker_refs.picker_service_unknown,
        "mend the name; the Service must be in the pool's namespace",
    ),
    Rule(
        "picker-service-port",
        ERROR,
        picker_refs.picker_service_port,
        "use a port of the Service",
    ),
    Rule(
        "picker-headless-port",
        ERROR,
        picker_refs.picker_headless_port,
        "use the port of the containers in the pool and in the Service",
    ),
    Rule(
        "picker-not-headless",
        WARNING,
        picker_refs.picker_not_headless,
        "write clusterIP: None",
    ),
    Rule(
        "picker-insecure",
        ERROR,
        pickers.picker_insecure,
        "remove the flag; a self-signed certificate is accepted",
    ),
    Rule(
        "picker-selected",
        ERROR,
        pickers.picker_selected,
        "give the pool a label that only the model servers have",
    ),
    Rule("picker-pool", WARNING, pickers.picker_pool, "mend --pool or endpointPickerRef"),
    Rule(
        "picker-grace",
        WARNING,
        pickers.picker_grace,
        "raise terminationGracePeriodSeconds above both together",
    ),
    Rule(
        "extension-fail-open",
        ERROR,
        extensions.extension_fail_open,
        "remove it, and run two replicas of the picker",
    ),
    Rule(
        "extension-timeout",
        WARNING,
        extensions.extension_timeout,
        "write messageTimeout: 90s, or longer than requests may wait in the picker",
    ),
    Rule("picker-role", ERROR, access.picker_role, "add the verbs to the Role"),
    Rule(
        "picker-unbound",
        ERROR,
        access.picker_unbound,
        "add a RoleBinding, or mend serviceAccountName",
    ),
    Rule(
        "cost-type",
        ERROR,
        costs.cost_type,
        "use InputToken, CachedInputToken, CacheCreationInputToken, OutputToken, TotalToken, "
        "ReasoningToken, or CEL with an expression",
    ),
    Rule("cost-unknown", WARNING, costs.cost_unknown, "add it to llmRequestCosts"),
)
