"""A certificate, as the event loop takes it."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from epp.server.tls import Certificates, KeyPair


def context_from(certificates: Certificates) -> ssl.SSLContext:
    """Return what shows the current certificate at each handshake."""
    return _Current(certificates).outer


class _Current:
    """Exchanges the context of a handshake for the newest one, as soon as the peer has spoken."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._newest = _context(certificates.current)
        self.outer = _context(certificates.current)
        self.outer.sni_callback = self._exchange  # called without a name too

    def _exchange(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext
    ) -> None:
        if (pair := self._certificates.changed()) is not None:
            self._newest = _context(pair)
        handshake.context = self._newest


def _context(pair: KeyPair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    with _as_file(pair) as path:
        context.load_cert_chain(path)
    return context


@contextmanager
def _as_file(pair: KeyPair) -> Iterator[str]:
    """Show both in a file, which is all that OpenSSL's loader takes; in memory where that can be:
    a container may have no place to write.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("epp")
        name = f"/proc/self/fd/{descriptor}"
    else:
        descriptor, name = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pair.key + b"\n" + pair.chain)
            file.flush()
            yield name
    finally:
        if not name.startswith("/proc/"):
            Path(name).unlink()
