"""What one object says of another, or of the picker, is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import epp
from epp.config.settings import Settings
from epp.server.health import LIVENESS, READINESS
from tests.deploy.manifests import Install, Object, ai_gateway, installs, plain_limits
from tests.deploy.picker_args import parsed

PICKERS = [name for name in installs() if name not in {"sidecar", "all-pools"}]
POOLS = [name for name in PICKERS if installs()[name].all("InferencePool")]

POOL_GROUP = "inference.networking.k8s.io"
OLD_GROUP = "inference.networking.x-k8s.io"
RIGHTS = {
    (POOL_GROUP, "inferencepools", None): {"list", "watch"},
    (OLD_GROUP, "inferencepools", None): {"list", "watch"},
    ("", "pods", None): {"list", "watch"},
    ("llm-d.ai", "inferenceobjectives", None): {"list", "watch"},
    ("llm-d.ai", "inferencemodelrewrites", None): {"list", "watch"},
    (OLD_GROUP, "inferenceobjectives", None): {"list", "watch"},
    (OLD_GROUP, "inferencemodelrewrites", None): {"list", "watch"},
}
DEFAULTS = Settings()
PORTS = {
    "grpc": DEFAULTS.grpc_port,
    "health": DEFAULTS.grpc_health_port,
    "metrics": DEFAULTS.metrics_port,
}


@pytest.fixture(params=PICKERS)
def install(request: pytest.FixtureRequest) -> Install:
    return installs()[request.param]


@pytest.fixture(params=POOLS)
def with_pool(request: pytest.FixtureRequest) -> Install:
    return installs()[request.param]


def pods(install: Install) -> Object:
    template: Object = install.one("Deployment")["spec"]["template"]
    return template


def picker(install: Install) -> Object:
    container: Object
    (container,) = pods(install)["spec"]["containers"]
    return container


def flags(install: Install) -> dict[str, Any]:
    return parsed(picker(install)["args"])


def selects(selector: dict[str, str], found: Object) -> bool:
    return all(found["metadata"]["labels"].get(name) == value for name, value in selector.items())


def seconds(duration: str) -> float:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    number = duration.rstrip("hms")
    return float(number) * units[duration[len(number) :]]


def test_the_role_has_exactly_the_verbs_that_are_needed(install: Install) -> None:
    rights: dict[tuple[str, str, str | None], set[str]] = {}
    for rule in install.one("Role")["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [None]):
                    rights.setdefault((group, resource, name), set()).update(rule["verbs"])

    leases = {key: rights.pop(key) for key in list(rights) if key[1] == "leases"}
    assert rights == RIGHTS
    (pool,) = (name.rpartition("/")[2] for name in flags(install)["pool"])
    lease = f"epp-{install.one('Deployment')['metadata']['namespace']}-{pool}.llm-d.ai"
    assert leases == (
        {
            ("coordination.k8s.io", "leases", None): {"create"},
            ("coordination.k8s.io", "leases", lease): {"get", "update"},
        }
        if flags(install)["ha_enable_leader_election"]
        else {}
    )


def test_the_rights_are_the_pods_own(install: Install) -> None:
    account = pods(install)["spec"]["serviceAccountName"]
    binding = install.one("RoleBinding")
    (subject,) = binding["subjects"]

    assert install.has("ServiceAccount", account)
    assert install.has("Role", binding["roleRef"]["name"])
    namespace = install.one("Deployment")["metadata"]["namespace"]
    assert (subject["name"], subject["namespace"]) == (account, namespace)
    assert not install.all("ClusterRole")


def test_the_picker_of_all_pools_has_the_same_rights_in_every_namespace() -> None:
    every, one = installs()["all-pools"], installs()["kubernetes"]

    assert every.one("ClusterRole")["rules"] == one.one("Role")["rules"]
    assert not every.all("Role")
    assert not every.all("RoleBinding")
    (subject,) = every.one("ClusterRoleBinding")["subjects"]
    assert subject["name"] == pods(every)["spec"]["serviceAccountName"]
    assert subject["namespace"] == every.one("Deployment")["metadata"]["namespace"]
    known = flags(every)
    assert (known["all_pools"], known["pool"], known["transport"]) == (True, (), "native")


def test_ports_and_probes_are_the_picker_s(install: Install) -> None:
    container = picker(install)

    assert {port["name"]: port["containerPort"] for port in container["ports"]} == PORTS
    assert container["livenessProbe"]["grpc"] == {"port": PORTS["health"], "service": LIVENESS}
    assert container["readinessProbe"]["grpc"]["port"] == PORTS["health"]
    assert container["readinessProbe"]["grpc"]["service"] in READINESS


def test_the_picker_knows_its_flags(install: Install) -> None:
    container = picker(install)
    known = flags(install)
    environment = {variable["name"]: variable for variable in container.get("env", [])}
    ((namespace, pool),) = (name.split("/") for name in known["pool"])
    deployed = install.one("Deployment")["metadata"]["namespace"]

    if namespace == "$(NAMESPACE)":
        source = environment["NAMESPACE"]["valueFrom"]["fieldRef"]["fieldPath"]
        assert source == "metadata.namespace"
    else:
        assert namespace == deployed
    assert not install.all("InferencePool") or install.has("InferencePool", pool)
    assert known["log_format"] == "json"


def test_files_that_flags_name_are_mounted(install: Install) -> None:
    known, container = flags(install), picker(install)
    mounted = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
    volumes = {volume["name"]: volume for volume in pods(install)["spec"].get("volumes", [])}

    wanted = [path for path in (known["cert_path"], known["config_file"]) if path]
    assert len(mounted) == len(wanted) == len(volumes)
    if known["cert_path"]:
        assert "secret" in volumes[mounted[str(known["cert_path"])]]
    if known["config_file"]:
        source = volumes[mounted[str(known["config_file"].parent)]]["configMap"]["name"]
        assert known["config_file"].name in install.one("ConfigMap", source)["data"]


def test_an_end_takes_no_longer_than_the_kubelet_waits(install: Install) -> None:
    settle_s = picker(install)["lifecycle"]["preStop"]["sleep"]["seconds"]
    patience_s = pods(install)["spec"]["terminationGracePeriodSeconds"]

    assert patience_s > settle_s + flags(install)["drain_timeout"]


def test_the_image_is_this_version(install: Install) -> None:
    assert picker(install)["image"].endswith(f"/epp:{epp.__version__}")


def test_nothing_is_allowed_that_is_not_needed(install: Install) -> None:
    pod, container = pods(install)["spec"], picker(install)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532  # as the image has it
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert install.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert "cpu" not in container["resources"]["limits"]


def test_selectors_find_the_pickers(install: Install) -> None:
    template = pods(install)
    selectors = [
        install.one("Deployment")["spec"]["selector"]["matchLabels"],
        service_of(install)["spec"]["selector"],
        *(pdb["spec"]["selector"]["matchLabels"] for pdb in install.all("PodDisruptionBudget")),
        *(policy["spec"]["podSelector"]["matchLabels"] for policy in install.all("NetworkPolicy")),
        *(monitor["spec"]["selector"]["matchLabels"] for monitor in install.all("PodMonitor")),
    ]

    assert [selector for selector in selectors if not selects(selector, template)] == []
    assert all(selector == selectors[0] for selector in selectors)


def test_pickers_keep_apart(install: Install) -> None:
    apart = pods(install)["spec"]["affinity"]["podAntiAffinity"]
    for term in apart.get("preferredDuringSchedulingIgnoredDuringExecution", []):
        wanted = term["podAffinityTerm"]
        assert wanted["topologyKey"] == "kubernetes.io/hostname"
        assert selects(wanted["labelSelector"]["matchLabels"], pods(install))
    assert apart or install.name == "helm-all"


def test_a_leader_can_be_replaced(install: Install) -> None:
    """Of pickers with a leader only one is ever ready; nothing may wait for a second."""
    strategy = install.one("Deployment")["spec"]["strategy"]["rollingUpdate"]
    budgets = install.all("PodDisruptionBudget")

    if flags(install)["ha_enable_leader_election"]:
        assert (strategy["maxUnavailable"], budgets) == ("100%", [])
    else:
        assert strategy["maxUnavailable"] == 0
        assert len(budgets) == (install.name != "helm-small")


def service_of(install: Install) -> Object:
    name = install.one("Deployment")["metadata"]["name"]
    return install.one("Service", name)


def test_envoy_sees_every_picker(install: Install) -> None:
    service = service_of(install)

    (port,) = service["spec"]["ports"]
    assert service["spec"]["clusterIP"] == "None"
    assert (port["port"], port["targetPort"]) == (PORTS["grpc"], "grpc")


def test_the_pool_s_picker_is_the_service(with_pool: Install) -> None:
    pool = with_pool.one("InferencePool")
    reference = pool["spec"]["endpointPickerRef"]
    service = with_pool.one("Service", reference["name"])

    assert reference["port"]["number"] in [p["port"] for p in service["spec"]["ports"]]
    assert pool["metadata"]["namespace"] == service["metadata"]["namespace"]


def test_the_network_policy_lets_through_what_is_needed(with_pool: Install) -> None:
    spec = with_pool.one("InferencePool")["spec"]
    policy = with_pool.one("NetworkPolicy")["spec"]
    inward = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    scraped = {"metrics"} if with_pool.name != "helm-all" else set()
    targets = [
        rule for rule in policy["egress"] if {"podSelector": spec["selector"]} in rule.get("to", [])
    ]
    outward = {port["port"] for rule in policy["egress"] for port in rule["ports"]}

    assert inward == {"grpc"} | scraped
    assert all(rule["from"] for rule in policy["ingress"])
    (metrics,) = targets
    assert [port["port"] for port in metrics["ports"]] == [p["number"] for p in spec["targetPorts"]]
    assert outward & {443, 6443, 8443}
    assert 53 in outward


def objects(kind: str) -> Iterator[tuple[str, Object]]:
    for name, found in ai_gateway():
        if found["kind"] == kind:
            yield name, found


def pool_rules() -> Iterator[tuple[Object, Object]]:
    for kind in ("HTTPRoute", "AIGatewayRoute"):
        for _, route in objects(kind):
            for rule in route["spec"]["rules"]:
                (backend,) = rule["backendRefs"]
                if backend.get("kind") == "InferencePool":
                    yield rule, backend


def test_the_picker_takes_what_the_gateway_buffers() -> None:
    samples = [found for _, found in objects("ClientTrafficPolicy")]
    policies = [*samples, installs()["envoy-gateway"].one("ClientTrafficPolicy")]

    for policy in policies:
        limit = policy["spec"]["connection"]["bufferLimit"]
        for name in ("kubernetes", "envoy-gateway", "helm-default"):
            assert flags(installs()[name])["max_body_bytes"] >= int(limit.removesuffix("Mi")) << 20


def test_clients_bring_neither_a_destination_nor_a_model() -> None:
    samples = [found for _, found in objects("ClientTrafficPolicy")]
    for policy in [*samples, installs()["envoy-gateway"].one("ClientTrafficPolicy")]:
        removed = policy["spec"]["headers"]["earlyRequestHeaders"]["remove"]
        assert set(removed) == {"x-gateway-destination-endpoint", "x-ai-eg-model"}


def test_the_picker_drains_for_as_long_as_an_answer_may_take() -> None:
    longest_s = max(seconds(rule["timeouts"]["request"]) for rule, _ in pool_rules())

    for name in ("kubernetes", "envoy-gateway", "helm-default"):
        assert flags(installs()[name])["drain_timeout"] >= longest_s


def test_a_rule_with_a_pool_has_one_match_and_a_timeout() -> None:
    rules = list(pool_rules())

    assert len(rules) == 3
    for rule, backend in rules:
        assert len(rule["matches"]) == 1
        assert "request" in rule["timeouts"]
        assert installs()["kubernetes"].has("InferencePool", backend["name"])
        assert "port" not in backend


def test_what_routes_and_policies_name_is_there() -> None:
    there = {(found["kind"], found["metadata"]["name"]) for _, found in ai_gateway()}
    # AI Gateway makes an HTTPRoute of each AIGatewayRoute, under its name.
    there |= {("HTTPRoute", name) for kind, name in there if kind == "AIGatewayRoute"}
    for _, found in ai_gateway():
        spec = found["spec"]
        references = [
            *spec.get("parentRefs", []),
            *spec.get("targetRefs", []),
            *([spec["backendRef"]] if "backendRef" in spec else []),
            *(
                {"kind": "AIServiceBackend", "name": backend["name"]}
                for rule in (spec.get("rules", []) if found["kind"] == "AIGatewayRoute" else [])
                for backend in rule["backendRefs"]
                if "kind" not in backend
            ),
        ]
        for reference in references:
            assert (reference["kind"], reference["name"]) in there


def test_limits_are_of_tokens_that_are_counted() -> None:
    (route,) = (found for name, found in objects("AIGatewayRoute") if name.startswith("ai-"))
    counted = {cost["metadataKey"] for cost in route["spec"]["llmRequestCosts"]}
    limits = [
        rule["cost"]["response"]["metadata"]
        for name, policy in objects("BackendTrafficPolicy")
        if name == "token-limits.yaml"
        for rule in policy["spec"]["rateLimit"]["global"]["rules"]
    ]

    assert limits
    assert all(limit["namespace"] == "io.envoy.ai_gateway" for limit in limits)
    assert {limit["key"] for limit in limits} <= counted


def test_the_limits_of_plain_envoy_gateway_change_nothing_else_of_its_policy() -> None:
    ((_, limited),) = plain_limits()
    policy = installs()["envoy-gateway"].one("BackendTrafficPolicy")
    limits = limited["spec"].pop("rateLimit")

    assert limited == policy
    (processor,) = installs()["envoy-gateway"].one("EnvoyExtensionPolicy")["spec"]["extProc"]
    for rule in limits["global"]["rules"]:
        namespace = rule["cost"]["response"]["metadata"]["namespace"]
        assert namespace in processor["metadata"]["writableNamespaces"]


def test_plain_envoy_gateway_knows_picker_and_servers() -> None:
    install = installs()["envoy-gateway"]
    (processor,) = install.one("EnvoyExtensionPolicy")["spec"]["extProc"]
    (backend,) = processor["backendRefs"]
    ((servers,),) = (rule["backendRefs"] for rule in install.one("HTTPRoute")["spec"]["rules"])
    service, pool = install.one("Service", servers["name"]), install.one("InferencePool")["spec"]

    assert (backend["name"], backend["port"]) == ("vllm-epp", PORTS["grpc"])
    assert install.has("Service", backend["name"])
    assert flags(install)["insecure"] is True
    # The picker's addresses must be endpoints of the Service.
    assert service["spec"]["selector"] == pool["selector"]["matchLabels"]
    (port,) = service["spec"]["ports"]
    assert [port["targetPort"]] == [target["number"] for target in pool["targetPorts"]]
    assert servers["port"] == port["port"]


def test_the_chart_s_defaults_are_the_kustomization() -> None:
    kustomized, chart = installs()["kubernetes"], installs()["helm-default"]
    ignored = {"--log-level=info", "--pool=$(NAMESPACE)/vllm", "--pool=models/vllm"}

    assert set(picker(kustomized)["args"]) - ignored == set(picker(chart)["args"]) - ignored
    for kind in ("Role", "NetworkPolicy", "InferencePool", "PodDisruptionBudget", "Service"):
        key = "rules" if kind == "Role" else "spec"
        assert kustomized.one(kind)[key] == chart.one(kind)[key], kind
    for key in ("readinessProbe", "livenessProbe", "resources", "lifecycle", "image", "ports"):
        assert picker(kustomized)[key] == picker(chart)[key], key
