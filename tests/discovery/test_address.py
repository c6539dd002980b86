from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.address import Address, parse_address
from epp.discovery.error import AddressError
from epp.discovery.host import parse_host

NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,8})?", fullmatch=True)
SERVERS = st.ip_addresses().filter(lambda ip: not (ip.is_multicast or ip.is_unspecified)).map(str)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://10.0.0.1:8000", Address("10.0.0.1", 8000)),
        ("HTTP://10.0.0.1:8000/", Address("10.0.0.1", 8000)),
        ("https://model.example:8443", Address("model.example", 8443, "https")),
        ("http://model.example", Address("model.example", 80)),
        ("https://[fd00::1]", Address("fd00::1", 443, "https")),
        ("localhost:11434", Address("localhost", 11434)),
        ("[FD00::1]:8000", Address("fd00::1", 8000)),
    ],
)
def test_an_address_can_be_written_as_people_do(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", '"" has no host; write it like http://10.0.0.1:8000'),
        ("10.0.0.1", '"10.0.0.1" has no port; write it like http://10.0.0.1:8000'),
        ("10.0.0.1:", "has no port after the colon"),
        (":8000", "has no host"),
        ("http://:8000", "has no host"),
        ("http://", "has no host"),
        ("10.0.0.1:99999", '"99999" is not a port'),
        ("10.0.0.1:http", '"http" is not a port'),
        ("http://10.0.0.1:8000/v1", "an endpoint has no path, the request brings it"),
        ("10.0.0.1:8000/", "an endpoint has no path"),
        ("http://10.0.0.1:8000?weight=2", "an endpoint has no query"),
        ("http://10.0.0.1:8000#a", "an endpoint has no query"),
        ("grpc://10.0.0.1:8000", 'the scheme "grpc" is neither http nor https'),
        ("fd00::1:8000", "an IPv6 address stands in brackets, like [fd00::1]:8000"),
        ("http://fd00::1", "an IPv6 address stands in brackets"),
        ("[fd00::1", "is not an address"),
        ("[10.0.0.1]:8000", "only an IPv6 address stands in brackets"),
        ("[fd00::zz]:8000", '"fd00::zz" is not an IP address'),
        ("a b:80", '"a b" is neither an IP address nor a host name'),
    ],
)
def test_a_refusal_says_what_to_write_instead(text: str, said: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert said in str(caught.value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("http://me:secret@10.0.0.1:8000")
    assert "an endpoint has no user and password" in str(caught.value)
    assert "secret" not in str(caught.value)


@given(SERVERS | NAMES, st.integers(1, 65535), st.sampled_from(["http", "https"]))
def test_what_is_written_is_read_back(host: str, port: int, scheme: str) -> None:
    try:
        address = Address(parse_host(host), port, scheme)
    except AddressError:
        return  # 255.255.255.255
    assert parse_address(str(address)) == address


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(str(address)) == address
