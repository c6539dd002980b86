from __future__ import annotations

import pytest

from epp.scrape.errors import ScrapeError
from epp.scrape.target import target


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "asked", "authority"),
    [
        ("http://10.0.0.1:8000/metrics", "10.0.0.1", 8000, False, "/metrics", "10.0.0.1:8000"),
        ("http://10.0.0.1/metrics", "10.0.0.1", 80, False, "/metrics", "10.0.0.1"),
        ("https://10.0.0.1", "10.0.0.1", 443, True, "/metrics", "10.0.0.1"),
        ("http://[fd00::1]:8000/m?a=b", "fd00::1", 8000, False, "/m?a=b", "[fd00::1]:8000"),
        ("http://replica-0.local:1/", "replica-0.local", 1, False, "/", "replica-0.local:1"),
    ],
)
def test_a_url_says_whom_to_ask_what(
    url: str, host: str, port: int, *, tls: bool, asked: str, authority: str
) -> None:
    whom = target(url)
    assert (whom.host, whom.port, whom.tls) == (host, port, tls)
    assert whom.request.startswith(f"GET {asked} HTTP/1.1\r\nHost: {authority}\r\n".encode())
    assert whom.request.endswith(b"\r\n\r\n")


def test_the_page_is_asked_for_as_it_is_on_a_connection_that_stays() -> None:
    request = target("http://10.0.0.1:8000/metrics").request
    assert b"\r\nAccept-Encoding: identity\r\n" in request
    assert b"\r\nConnection: keep-alive\r\n" in request
    assert b"Authorization" not in request


def test_the_token_goes_out_as_a_bearer_token() -> None:
    request = target("https://10.0.0.1:8000/metrics", "s3cret").request
    assert b"\r\nAuthorization: Bearer s3cret\r\n" in request


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.1:8000",
        "ftp://10.0.0.1/metrics",
        "http://",
        "http://:8000/metrics",
        "http://10.0.0.1:0x50/",
        "http://10.0.0.1:99999/",
        "http://[fd00::1/metrics",
        "http://user:password@10.0.0.1/metrics",
        "http://10.0.0.1/a b",
        "http://10.0.0.1/ü",
        "http://10.0.0.1/\x01",
    ],
)
def test_what_is_no_metrics_url_is_refused(url: str) -> None:
    with pytest.raises(ScrapeError) as caught:
        target(url)
    assert caught.value.kind == "address"
    assert "password@" not in str(caught.value)


def test_a_token_cannot_add_a_header() -> None:
    with pytest.raises(ScrapeError, match="printable ASCII"):
        target("http://10.0.0.1/metrics", "x\r\nHost: elsewhere")
