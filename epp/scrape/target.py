"""What to ask of whom: a metrics URL as an address and the bytes of a request."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from epp.scrape.errors import ScrapeError


class Target(msgspec.Struct, frozen=True):
    """Where a page is, and the request for it, which is the same every time."""

    host: str
    port: int
    tls: bool
    request: bytes

    def is_beside(self, other: Target) -> bool:
        """Whether one connection reaches both."""
        return (self.host, self.port, self.tls) == (other.host, other.port, other.tls)


def target(url: str, token: str = "") -> Target:
    """Read a metrics URL; raises ScrapeError if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ScrapeError("address", f"{url!r}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ScrapeError("address", f"{url!r} is not http://host:port/path")
    if parts.username is not None:
        raise ScrapeError("address", "a metrics URL must not hold a password")
    path = (parts.path or "/metrics") + (f"?{parts.query}" if parts.query else "")
    tls = parts.scheme == "https"
    authority = parts.netloc
    return Target(
        parts.hostname, port or (443 if tls else 80), tls, _request(authority, path, token)
    )


def _request(authority: str, path: str, token: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {authority}",
        "User-Agent: epp",
        "Accept: text/plain;version=0.0.4, */*;q=0.1",
        "Accept-Encoding: identity",
        "Connection: keep-alive",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if not all(line.isascii() and line.isprintable() for line in lines) or " " in path:
        raise ScrapeError("address", "a metrics URL and its token are printable ASCII")
    return "\r\n".join([*lines, "", ""]).encode()
