from __future__ import annotations

from epp.discovery.address import Address, parse_address
from epp.discovery.target import MetricsPlace, Target, from_addresses


def test_an_ip_address_is_an_endpoint_without_asking() -> None:
    (target,) = from_addresses([parse_address("https://[fd00::1]:8000")], engine="sglang")
    (endpoint,) = target.endpoints({})
    assert target.names() == set()
    assert endpoint.address == "[fd00::1]:8000"
    assert endpoint.metrics_url == "https://[fd00::1]:8000/metrics"
    assert endpoint.engine == "sglang"
    assert endpoint.name == ""


def test_a_name_with_one_address_is_called_by_it() -> None:
    (target,) = from_addresses([parse_address("model:8000")])
    (endpoint,) = target.endpoints({"model": ("10.0.0.1",)})
    assert target.names() == {"model"}
    assert (endpoint.name, endpoint.address) == ("model:8000", "10.0.0.1:8000")


def test_each_address_of_a_name_is_an_endpoint() -> None:
    target = Target(Address("model", 8000), MetricsPlace(), name="m", labels={"zone": "a"})
    endpoints = target.endpoints({"model": ("10.0.0.1", "10.0.0.2")})
    assert [(e.name, e.address) for e in endpoints] == [
        ("m (10.0.0.1)", "10.0.0.1:8000"),
        ("m (10.0.0.2)", "10.0.0.2:8000"),
    ]
    assert [e.metrics_url for e in endpoints] == [
        "http://10.0.0.1:8000/metrics",
        "http://10.0.0.2:8000/metrics",
    ]
    assert all(e.labels == {"zone": "a"} for e in endpoints)


def test_a_name_without_an_answer_is_no_endpoint() -> None:
    (target,) = from_addresses([parse_address("model:8000")])
    assert target.endpoints({}) == []


def test_metrics_may_be_somewhere_else() -> None:
    place = MetricsPlace("https", "exporter", 9100, "/m")
    target = Target(Address("10.0.0.1", 8000), place)
    assert target.names() == {"exporter"}
    (endpoint,) = target.endpoints({"exporter": ("fd00::9",)})
    assert endpoint.metrics_url == "https://[fd00::9]:9100/m"
    (endpoint,) = target.endpoints({})
    assert endpoint.metrics_url == "https://exporter:9100/m"


def test_metrics_may_differ_in_the_port_only() -> None:
    target = Target(Address("10.0.0.1", 8000), MetricsPlace(port=9100))
    (endpoint,) = target.endpoints({})
    assert endpoint.metrics_url == "http://10.0.0.1:9100/metrics"
