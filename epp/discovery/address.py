"""Where a model server listens, as a person writes it."""

from __future__ import annotations

import re

import msgspec

from epp.discovery import host as hosts
from epp.discovery.error import AddressError

_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_PLACE = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[^:]*))?")
_EXAMPLE = "write it like http://10.0.0.1:8000"


class Address(msgspec.Struct, frozen=True):
    """A server's scheme, host (an IP address without brackets, or a name) and port."""

    host: str
    port: int
    scheme: str = "http"

    def __str__(self) -> str:
        return f"{self.scheme}://{hosts.join(self.host, self.port)}"


def parse_address(text: str) -> Address:
    """Return the address in `http://host:port`, `https://…`, `host:port` or `[v6]:port`.

    AddressError says what to write instead. Requests keep their own path, so an address has none.
    """
    scheme, rest = _scheme(text)
    if "@" in rest:
        raise AddressError(f"an endpoint has no user and password; {_EXAMPLE}")
    if "?" in rest or "#" in rest:
        raise AddressError(f'"{text}": an endpoint has no query; {_EXAMPLE}')
    place, slash, path = rest.partition("/")
    if path or (slash and not scheme):
        raise AddressError(f'"{text}": an endpoint has no path, the request brings it; {_EXAMPLE}')
    host, port = _split(text, place)
    if not port and not scheme:
        raise AddressError(f'"{text}" has no port; {_EXAMPLE}')
    scheme = scheme or "http"
    number = hosts.parse_port(port) if port else _PORTS[scheme]
    return Address(hosts.parse_host(host), number, scheme)


def _scheme(text: str) -> tuple[str, str]:
    match = _SCHEME.fullmatch(text)
    if match is None:
        return "", text
    scheme = match[1].lower()
    if scheme not in _PORTS:
        raise AddressError(f'the scheme "{scheme}" is neither http nor https')
    return scheme, match[2]


def _split(text: str, place: str) -> tuple[str, str]:
    match = _PLACE.fullmatch(place)
    if match is None:
        v6 = "an IPv6 address stands in brackets, like [fd00::1]:8000"
        hint = v6 if place.count(":") > 1 else _EXAMPLE
        raise AddressError(f'"{text}" is not an address; {hint}')
    if match["v6"] is not None and ":" not in match["v6"]:
        raise AddressError(f'"{text}": only an IPv6 address stands in brackets')
    host = match["host"] if match["v6"] is None else match["v6"]
    if not host:
        raise AddressError(f'"{text}" has no host; {_EXAMPLE}')
    if match["port"] == "":
        raise AddressError(f'"{text}" has no port after the colon')
    return host, match["port"] or ""
