from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.error import EndpointsFileError
from epp.discovery.parse import parse_targets
from epp.pool.endpoint import Endpoint


def endpoints(text: str) -> list[Endpoint]:
    return [e for t in parse_targets(text.encode(), "e.yaml") for e in t.endpoints({})]


def one(text: str) -> Endpoint:
    (endpoint,) = endpoints(text)
    return endpoint


def test_a_file_of_llm_d_is_read_as_it_is() -> None:
    found = endpoints("""
endpoints:
  - name: vllm-0
    namespace: prod
    address: "10.0.0.1"
    port: "8000"
    labels:
      llm-d.ai/role: decode
  - name: vllm-1
    address: "10.0.0.2"
    port: "8000"
    metricsHost: "10.0.0.9:9100"
""")
    assert [(e.name, e.address, e.metrics_url) for e in found] == [
        ("prod/vllm-0", "10.0.0.1:8000", "http://10.0.0.1:8000/metrics"),
        ("vllm-1", "10.0.0.2:8000", "http://10.0.0.9:9100/metrics"),
    ]
    assert found[0].labels == {"llm-d.ai/role": "decode"}


def test_json_will_do() -> None:
    assert one('{"endpoints": [{"address": "::1", "port": 80}]}').address == "[::1]:80"


def test_several_ports_are_several_ranks() -> None:
    found = endpoints("endpoints: [{name: v, address: 10.0.0.1, ports: [8000, '8001']}]")
    assert [(e.name, e.address, e.metrics_url) for e in found] == [
        ("v-rank-0", "10.0.0.1:8000", "http://10.0.0.1:8000/metrics"),
        ("v-rank-1", "10.0.0.1:8001", "http://10.0.0.1:8001/metrics"),
    ]


def test_a_name_is_not_needed() -> None:
    assert one("endpoints: [{address: 10.0.0.1, ports: [8000]}]").name == ""


def test_metrics_may_be_anywhere() -> None:
    found = one("""
endpoints:
- address: 10.0.0.1
  port: 8000
  metrics: {scheme: https, address: "fd00::1", port: "9100", path: /m/prometheus}
""")
    assert found.metrics_url == "https://[fd00::1]:9100/m/prometheus"


@pytest.mark.parametrize(
    ("more", "engine"),
    [
        ("", "auto"),
        (", engine: sglang", "sglang"),
        (", labels: {llm-d.ai/engine-type: trtllm-serve}", "trtllm-serve"),
        (", labels: {inference.networking.k8s.io/engine-type: triton}", "triton"),
        (", engine: vllm, labels: {llm-d.ai/engine-type: sglang}", "vllm"),
    ],
)
def test_the_engine_is_a_field_or_a_label(more: str, engine: str) -> None:
    assert one("endpoints: [{address: 10.0.0.1, port: 80" + more + "}]").engine == engine


def test_an_empty_list_must_be_written_out() -> None:
    assert parse_targets(b"endpoints: []", "e.yaml") == ()


GOOD = "endpoints:\n- name: a\n  address: 10.0.0.1\n  port: 8000\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file is empty"),
        ("endpoints:\n", 1, "endpoints: expected a list, got nothing"),
        ("endpoint: []\n", 1, 'unknown field "endpoint"; did you mean "endpoints"?'),
        ("endpoints: []\nendpoints: []\n", 2, 'the key "endpoints" is here twice'),
        (GOOD + "- name: b\n  addr", 6, "not valid YAML"),
        (
            GOOD + "  lables: {}\n",
            5,
            'unknown field "lables" in endpoints[0]; did you mean "labels"?',
        ),
        (GOOD + "- name: b\n  port: 80\n", 5, 'endpoints[1]: "address" is missing'),
        (GOOD + "- name: b\n  address: b\n", 5, 'endpoints[1]: "port" is missing'),
        (
            GOOD + "- name: b\n  address: a_b!\n  port: 80\n",
            6,
            '"a_b!" is neither an IP address nor',
        ),
        (GOOD + "- address: 10.0.0.1:80\n  port: 80\n", 5, '"10.0.0.1:80" is not an IP address'),
        (GOOD + "- address: b\n  port: 0\n", 6, '"0" is not a port; ports go from 1 to 65535'),
        (GOOD + "- address: b\n  port: http\n", 6, '"http" is not a port'),
        (GOOD + "- address: b\n  ports:\n  - 80\n  - 70000\n", 8, '"70000" is not a port'),
        (GOOD + "  ports: [1]\n", 2, "endpoints[0]: port and ports are both here"),
        (GOOD + "- address: b\n  ports: []\n", 5, 'endpoints[1]: "port" is missing'),
        (
            GOOD + "- {address: 10.0.0.1, port: 8000}\n",
            5,
            "the address 10.0.0.1:8000 is here twice (first on line 3)",
        ),
        (
            GOOD + "- address: b\n  name: a\n  port: 80\n",
            6,
            'the name "a" is here twice (first on line 2)',
        ),
        (GOOD + "  engine: vlm\n", 5, 'there is no engine "vlm"; did you mean "vllm"?'),
        (GOOD + "  engine: xyzzy\n", 5, 'there is no engine "xyzzy", only auto, vllm, sglang'),
        (
            GOOD + "  labels:\n    a: b\n    llm-d.ai/engine-type: sglnag\n",
            7,
            'there is no engine "sglnag"; did you mean "sglang"?',
        ),
        (
            GOOD + "  labels: {a: 1}\n",
            5,
            "endpoints[0].labels.a: expected text, got 1; put it in quo",
        ),
        (GOOD + "  metricsHost: exporter\n", 5, '"exporter" has no port'),
        (
            GOOD + "  metricsHost: e:1\n  metrics: {}\n",
            5,
            "endpoints[0]: metricsHost and metrics are",
        ),
        (
            GOOD + "  metrics:\n    address: e!\n",
            6,
            '"e!" is neither an IP address nor a host name',
        ),
        (GOOD + "  metrics:\n    port: x\n", 6, '"x" is not a port'),
        (GOOD + "  metrics:\n    path: metrics\n", 6, '"metrics" is not a path like /metrics'),
        (GOOD + '  metrics:\n    path: "/a\\r\\nb"\n', 6, "is not a path like /metrics"),
        (
            GOOD + "  metrics:\n    scheme: grpc\n",
            6,
            'endpoints[0].metrics.scheme: "grpc" is none of',
        ),
        (
            "endpoints:\n- address: a\n  ports: [1, 2]\n  metrics:\n    port: 3\n",
            5,
            "several ports cannot share one of metrics; give each an entry of its own",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(EndpointsFileError) as caught:
        parse_targets(text.encode(), "e.yaml")
    problem = caught.value.problems[0]
    assert problem.line == line
    assert said in problem.text
    assert str(caught.value).startswith(f"e.yaml:{line}: ")


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        "endpoints:\n- {address: a!, port: 80}\n- {address: b, port: 0}\n- {address: c, port: 1}\n"
    )
    with pytest.raises(EndpointsFileError) as caught:
        parse_targets(text.encode(), "e.yaml")
    assert [problem.line for problem in caught.value.problems] == [2, 3]


@given(st.binary(max_size=100))
def test_no_bytes_break_it(content: bytes) -> None:
    try:
        targets = parse_targets(b"endpoints: " + content, "e.yaml")
    except EndpointsFileError:
        return
    assert isinstance(targets, tuple)
