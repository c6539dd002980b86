from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.scrape.errors import ScrapeError
from epp.scrape.target import Target
from epp.scrape.ways import Ways


def asked(endpoint: Endpoint) -> list[Target]:
    ways = Ways(endpoint, "s3cret")
    return [probe.page for probe in ways.probes()]


def test_everything_is_asked_of_the_server_itself() -> None:
    for target in asked(Endpoint("10.0.0.1:8000", metrics_url="https://10.0.0.1:8000/metrics")):
        assert (target.host, target.port, target.tls) == ("10.0.0.1", 8000, True)
        assert b"Authorization: Bearer s3cret\r\n" in target.request


def test_metrics_that_are_elsewhere_keep_their_place_and_their_token() -> None:
    metrics, *rest = asked(Endpoint("10.0.0.1:8000", metrics_url="https://10.0.0.9:1/own"))
    assert (metrics.host, metrics.port, metrics.tls) == ("10.0.0.9", 1, True)
    assert b"GET /own HTTP/1.1\r\n" in metrics.request
    assert b"s3cret" in metrics.request
    for target in rest:
        assert (target.host, target.port, target.tls) == ("10.0.0.1", 8000, False)
        assert b"s3cret" not in target.request


def test_an_address_of_ipv6_is_asked_too() -> None:
    for target in asked(Endpoint("[fd00::1]:8000", metrics_url="http://[fd00::1]:8000/metrics")):
        assert (target.host, target.port) == ("fd00::1", 8000)


def test_a_server_is_asked_few_questions() -> None:
    pages = asked(Endpoint("10.0.0.1:8000", metrics_url="http://10.0.0.1:8000/metrics"))
    paths = [target.request.split(b" ", 2)[1] for target in pages]
    assert paths == [b"/metrics", b"/prometheus/metrics", b"/api/ps", b"/slots", b"/props"]


def test_an_engine_that_nobody_knows_is_an_error() -> None:
    endpoint = Endpoint("10.0.0.1:8000", metrics_url="http://10.0.0.1:8000/metrics", engine="x")
    with pytest.raises(ScrapeError, match="'x' is none of"):
        Ways(endpoint, "").known()
