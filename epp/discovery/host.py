"""One server: an IP address, or a name that has still to be resolved."""

from __future__ import annotations

import ipaddress
import re

from epp.discovery.error import AddressError

# Container tools make names with underscores.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_host(text: str) -> str:
    """Return the host in its one spelling: an IP address without brackets, or a name in lower case.

    AddressError if it is neither, or an address that nothing can be sent to.
    """
    if ":" in text:
        return _checked(_ip(text))
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # as in 10.1 or 10.0.0.256, which resolvers read each its way
        return _checked(_ip(text))
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError(f'"{text}" is neither an IP address nor a host name')
    return name


def is_ip(host: str) -> bool:
    """Say whether a parsed host needs no resolving."""
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def join(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_port(text: str) -> int:
    """Return a port from 1 to 65535."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise AddressError(f'"{text}" is not a port; ports go from 1 to 65535')
    return int(text)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if "%" in text:
        raise AddressError(f'"{text}" has a zone; the address must be reachable without one')
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise AddressError(f'"{text}" is not an IP address') from error


def _checked(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if ip.is_unspecified:
        local = "127.0.0.1" if ip.version == 4 else "::1"
        raise AddressError(f'"{ip}" is an address to listen on; to reach this machine use {local}')
    if ip.is_multicast or (ip.version == 4 and int(ip) == 0xFFFFFFFF):
        raise AddressError(f'"{ip}" is not the address of one server')
    return str(ip)
