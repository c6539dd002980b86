from __future__ import annotations

import ipaddress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.inference_pool import Pool
from epp.discovery.pods import Found, Pod, PodRules, endpoints
from tests.discovery.cluster import pod

POOL = Pool("prod", "chat", selector={"app": "vllm"}, ports=(8000,))
RANKS = Pool("prod", "chat", selector={"app": "vllm"}, ports=(8000, 8002, 8001))
SAFE = PodRules()
ACTIVE = "llm-d.ai/active-ports"


def found(one: Pod, pool: Pool = POOL, rules: PodRules = SAFE) -> Found:
    return endpoints(pool, one, rules)


def addresses(one: Pod, pool: Pool = POOL, rules: PodRules = SAFE) -> list[str]:
    return [endpoint.address for endpoint in found(one, pool, rules).endpoints]


def said(one: Pod, pool: Pool = POOL, rules: PodRules = SAFE) -> list[str]:
    return [f"{c.where}: {c.text}" for c in found(one, pool, rules).complaints]


def test_a_ready_pod_is_an_endpoint() -> None:
    (endpoint,) = found(pod("vllm-0", labels={"app": "vllm"})).endpoints
    assert (endpoint.name, endpoint.address) == ("vllm-0", "10.0.0.1:8000")
    assert endpoint.metrics_url == "http://10.0.0.1:8000/metrics"
    assert endpoint.engine == "auto"
    assert endpoint.labels == {"app": "vllm", "namespace": "prod"}


def test_a_pod_as_an_api_server_writes_it_is_read() -> None:
    text = b"""{
      "metadata": {"name": "vllm-0", "namespace": "prod", "labels": {"app": "vllm"}, "uid": "1"},
      "spec": {"containers": [], "hostNetwork": true},
      "status": {
        "phase": "Running", "podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}],
        "conditions": [
          {"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}
        ]
      }
    }"""
    read = msgspec.json.decode(text, type=Pod)
    assert (read.ready, read.spec.host_network) == (True, True)
    assert addresses(read, rules=PodRules(host_network=True)) == ["10.0.0.9:8000"]


def test_an_ipv6_address_stands_in_brackets() -> None:
    (endpoint,) = found(pod("vllm-0", "fd00::1")).endpoints
    assert endpoint.address == "[fd00::1]:8000"
    assert endpoint.metrics_url == "http://[fd00::1]:8000/metrics"


@pytest.mark.parametrize(
    "absent",
    [
        pod("a", ready=False),
        pod("a", ""),
        pod("a", deletionTimestamp="2026-11-23T10:00:00Z"),
        Pod(status=msgspec.convert({"podIP": "10.0.0.1"}, type(Pod().status))),
    ],
)
def test_a_pod_that_is_not_ready_is_none_without_a_word(absent: Pod) -> None:
    assert found(absent) == Found()


def test_each_port_is_a_rank_with_a_name() -> None:
    ranks = [(e.name, e.address) for e in found(pod("v"), RANKS).endpoints]
    assert ranks == [
        ("v-rank-0", "10.0.0.1:8000"),
        ("v-rank-1", "10.0.0.1:8002"),
        ("v-rank-2", "10.0.0.1:8001"),
    ]


@pytest.mark.parametrize("annotation", [ACTIVE, "inference.networking.k8s.io/active-ports"])
def test_active_ports_narrow_the_ranks_and_keep_their_names(annotation: str) -> None:
    narrowed = found(pod("v", annotations={annotation: " 8001, 8002,9999"}), RANKS)
    assert [e.name for e in narrowed.endpoints] == ["v-rank-1", "v-rank-2"]
    assert narrowed.complaints == ()


def test_the_newer_active_ports_win() -> None:
    both = {"inference.networking.k8s.io/active-ports": "8000", ACTIVE: "8001"}
    assert addresses(pod("v", annotations=both), RANKS) == ["10.0.0.1:8001"]


def test_no_active_port_is_no_endpoint_and_no_mistake() -> None:
    assert found(pod("v", annotations={ACTIVE: ""}), RANKS) == Found()


@pytest.mark.parametrize(
    ("text", "left", "complaints"),
    [
        ("8000;8001", [], 2),
        ("8000,http", ["10.0.0.1:8000"], 1),
        ("8000,", ["10.0.0.1:8000"], 1),
        ("80000000", [], 2),
        ("²", [], 2),
        ("9000", [], 1),
    ],
)
def test_what_is_no_active_port_is_told(text: str, left: list[str], complaints: int) -> None:
    one = pod("v", annotations={ACTIVE: text})
    assert addresses(one, RANKS) == left
    told = said(one, RANKS)
    assert len(told) == complaints
    assert all(t.startswith(f'metadata.annotations[{ACTIVE}]: "{text}"') for t in told)


@pytest.mark.parametrize(
    ("labels", "engine", "path"),
    [
        ({"llm-d.ai/engine-type": "sglang"}, "sglang", "/metrics"),
        ({"inference.networking.k8s.io/engine-type": "triton"}, "triton", "/metrics"),
        (
            {
                "inference.networking.k8s.io/engine-type": "triton",
                "llm-d.ai/engine-type": "trtllm-serve",
            },
            "trtllm-serve",
            "/prometheus/metrics",
        ),
    ],
)
def test_the_engine_is_a_label(labels: dict[str, str], engine: str, path: str) -> None:
    (endpoint,) = found(pod("v", labels=labels)).endpoints
    assert endpoint.engine == engine
    assert endpoint.metrics_url == f"http://10.0.0.1:8000{path}"


def test_an_engine_of_the_configuration_may_be_named() -> None:
    one = pod("v", labels={"llm-d.ai/engine-type": "own"})
    rules = PodRules(engines=("auto", "own"))
    assert [e.engine for e in found(one, rules=rules).endpoints] == ["own"]


def test_an_unknown_engine_is_found_out_and_told() -> None:
    one = pod("v", labels={"llm-d.ai/engine-type": "sglnag"})
    assert [e.engine for e in found(one).endpoints] == ["auto"]
    assert said(one) == [
        'metadata.labels[llm-d.ai/engine-type]: there is no engine "sglnag"; '
        'what the pod is is found out by asking it; did you mean "sglang"?'
    ]


def on_host_network(ip: str = "10.0.0.1") -> Pod:
    return msgspec.structs.replace(pod("v", ip), spec=type(Pod().spec)(host_network=True))


def test_a_pod_on_its_nodes_network_is_left_out_unless_that_is_allowed() -> None:
    assert addresses(on_host_network()) == []
    assert said(on_host_network()) == [
        "spec.hostNetwork: the pod shares its node's address, which is not allowed here; "
        "it is left out"
    ]
    assert addresses(on_host_network(), rules=PodRules(host_network=True)) == ["10.0.0.1:8000"]


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "224.0.0.1",
        "0.0.0.0",
        "::",
    ],
)
def test_an_address_that_no_pod_has_is_left_out_and_told(ip: str) -> None:
    assert addresses(pod("v", ip)) == []
    (told,) = said(pod("v", ip))
    assert told.endswith("is not an address that pods have; the pod is left out")


@pytest.mark.parametrize("text", ["10.0.0", "10.0.0.1:80", "fe80::1%eth0", "model.example"])
def test_what_is_no_address_is_told(text: str) -> None:
    assert said(pod("v", text)) == [f'status.podIP: "{text}" is not an IP address']


def networks(*texts: str) -> PodRules:
    return PodRules(networks=tuple(ipaddress.ip_network(text) for text in texts))


def test_with_networks_only_pods_inside_them_count() -> None:
    rules = networks("10.0.0.0/24", "fd00::/8", "127.0.0.0/8")
    assert addresses(pod("v", "10.0.0.7"), rules=rules) == ["10.0.0.7:8000"]
    assert addresses(pod("v", "fd00::7"), rules=rules) == ["[fd00::7]:8000"]
    assert addresses(pod("v", "127.0.0.1"), rules=rules) == ["127.0.0.1:8000"]
    assert said(pod("v", "10.0.1.7"), rules=rules) == [
        "status.podIP: 10.0.1.7 is outside the networks that pods may be in; the pod is left out"
    ]


def test_a_complaint_names_its_pod() -> None:
    (complaint,) = found(on_host_network()).complaints
    assert str(complaint).startswith("Pod prod/v: spec.hostNetwork: ")


@given(
    st.builds(
        pod,
        st.just("v"),
        st.ip_addresses().map(str) | st.text(max_size=20),
        ready=st.booleans(),
        labels=st.dictionaries(st.sampled_from(["llm-d.ai/engine-type", "a"]), st.text(max_size=9)),
        annotations=st.dictionaries(
            st.just(ACTIVE), st.lists(st.sampled_from(["8000", "8001", "x"])).map(",".join)
        ),
    ),
    st.booleans(),
)
def test_whatever_a_pod_says_its_endpoints_are_ports_of_the_pool(one: Pod, narrow: bool) -> None:
    rules = networks("10.0.0.0/8", "fd00::/8") if narrow else SAFE
    for endpoint in found(one, RANKS, rules).endpoints:
        host, _, port = endpoint.address.rpartition(":")
        ip: Any = ipaddress.ip_address(host.strip("[]"))
        assert int(port) in RANKS.ports
        assert one.ready
        assert not ip.is_loopback
        assert not narrow or any(ip in network for network in rules.networks)
