from __future__ import annotations

import pytest

from epp.routing.deadline import deadline

STARTED = 100.0


@pytest.mark.parametrize(
    ("value", "timeout_s"),
    [
        ("1H", 3600),
        ("2M", 120),
        ("3S", 3),
        ("250m", 0.25),
        ("1500u", 0.0015),
        ("99999999n", 0.099999999),
        ("0S", 0),
    ],
)
def test_grpc_has_six_units(value: str, timeout_s: float) -> None:
    assert deadline({"grpc-timeout": value}, STARTED) == pytest.approx(STARTED + timeout_s)


@pytest.mark.parametrize("value", ["", "5", "S", "-1S", "1.5S", "1 S", "123456789S", "1s", "٣S"])
def test_what_is_no_grpc_timeout_is_none(value: str) -> None:
    assert deadline({"grpc-timeout": value}, STARTED) is None


@pytest.mark.parametrize("name", ["x-envoy-expected-rq-timeout-ms", "x-llm-d-request-timeout-ms"])
def test_the_other_headers_are_in_milliseconds(name: str) -> None:
    assert deadline({name: "1500"}, STARTED) == 101.5
    for value in ("", "-5", "1.5", "soon", "1e3", "9" * 13):
        assert deadline({name: value}, STARTED) is None


def test_zero_of_envoy_is_no_limit_and_zero_of_the_client_is_now() -> None:
    assert deadline({"x-envoy-expected-rq-timeout-ms": "0"}, STARTED) is None
    assert deadline({"x-llm-d-request-timeout-ms": "0"}, STARTED) == STARTED


def test_the_earliest_counts() -> None:
    headers = {
        "grpc-timeout": "5S",
        "x-envoy-expected-rq-timeout-ms": "4000",
        "x-llm-d-request-timeout-ms": "6000",
    }
    assert deadline(headers, STARTED) == 104.0
    assert deadline({}, STARTED) is None
