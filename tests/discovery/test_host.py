from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.error import AddressError
from epp.discovery.host import is_ip, join, parse_host, parse_port

LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("FD00:0:0::1", "fd00::1"),
        ("Localhost", "localhost"),
        ("vllm-0.vllm.default.svc.cluster.local.", "vllm-0.vllm.default.svc.cluster.local"),
        ("my_model", "my_model"),
        ("10.example", "10.example"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", '"" is neither an IP address nor a host name'),
        ("a..b", "neither an IP address nor a host name"),
        ("-a", "neither an IP address nor a host name"),
        ("a b", "neither an IP address nor a host name"),
        ("a\n", "neither an IP address nor a host name"),
        ("münchen.de", "neither an IP address nor a host name"),
        ("a" * 64, "neither an IP address nor a host name"),
        (".".join(["abc"] * 64), "neither an IP address nor a host name"),
        ("10.0.0.256", '"10.0.0.256" is not an IP address'),
        ("10.1", "is not an IP address"),
        ("010.0.0.1", "is not an IP address"),
        ("0x7f000001", "is not an IP address"),
        ("1.2.3.0x4", "is not an IP address"),
        ("fd00::g", "is not an IP address"),
        ("fe80::1%eth0", "has a zone"),
        ("0.0.0.0", "an address to listen on; to reach this machine use 127.0.0.1"),
        ("::", "an address to listen on; to reach this machine use ::1"),
        ("224.0.0.1", "is not the address of one server"),
        ("ff02::1", "is not the address of one server"),
        ("255.255.255.255", "is not the address of one server"),
    ],
)
def test_what_is_no_host_is_refused(text: str, said: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_host(text)
    assert said in str(caught.value)


@given(st.ip_addresses().map(str) | st.lists(LABEL, min_size=1, max_size=4).map(".".join))
def test_parsing_twice_changes_nothing(text: str) -> None:
    try:
        host = parse_host(text)
    except AddressError:
        return
    assert parse_host(host) == host


@given(st.lists(LABEL, min_size=1, max_size=4).map(".".join))
def test_a_name_is_no_ip_address(name: str) -> None:
    assert not is_ip(parse_host(name))


@pytest.mark.parametrize("ip", ["10.0.0.1", "fd00::1", "::ffff:10.0.0.1"])
def test_an_ip_address_needs_no_resolving(ip: str) -> None:
    assert is_ip(parse_host(ip))


def test_an_ipv6_address_is_joined_in_brackets() -> None:
    assert join("fd00::1", 80) == "[fd00::1]:80"
    assert join("10.0.0.1", 80) == "10.0.0.1:80"


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "-1", "+1", "8e3", " 80", "80 ", "٨٠", "100000"]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(AddressError, match="is not a port; ports go from 1 to 65535"):
        parse_port(text)


@given(st.integers(1, 65535))
def test_every_port_is_one(port: int) -> None:
    assert parse_port(str(port)) == port
