"""The server's certificate: from files that may change while it runs, or made up at start."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from epp.server.errors import CertificateError

_log = logging.getLogger(__name__)


class KeyPair(msgspec.Struct, frozen=True):
    """A private key and the certificates that vouch for it, as PEM."""

    key: bytes
    chain: bytes

    def __repr__(self) -> str:
        return "<KeyPair>"  # a key must not reach a log


class Certificates(Protocol):
    """Where the pair comes from that is shown at a handshake."""

    @property
    def current(self) -> KeyPair:
        """The pair to begin with, or that was given last."""
        ...

    def changed(self) -> KeyPair | None:
        """Give a new pair if there is one. Asked before each handshake; never raises."""
        ...


class MadeUpCertificate:
    """Encrypts, for a gateway that does not ask who the picker is."""

    def __init__(self) -> None:
        from epp.server.x509 import self_signed  # noqa: PLC0415  takes 9 MiB, and not all need it

        self.current = self_signed(datetime.now(UTC))

    def changed(self) -> KeyPair | None:
        """Keep it."""
        return None


class CertificateFiles:
    """`tls.crt` and `tls.key` of a folder, looked at before each handshake.

    Both are read through links, which is how Kubernetes swaps the files of a secret.
    """

    def __init__(self, folder: Path) -> None:
        self._key = folder / "tls.key"
        self._chain = folder / "tls.crt"
        self._seen = self._stamps()
        self.current = self._load()

    def changed(self) -> KeyPair | None:
        """Give a new pair if there is one. A broken one is reported once and not used."""
        stamps = self._stamps()
        if stamps == self._seen:
            return None
        self._seen = stamps  # before reading: what changes meanwhile is seen next time
        try:
            self.current = self._load()
        except CertificateError as error:
            _log.warning("keeping the previous certificate: %s", error)
            return None
        _log.info("serving the new certificate in %s", self._chain)
        return self.current

    def _stamps(self) -> list[tuple[int, ...] | None]:
        return [_stamp(self._key), _stamp(self._chain)]

    def _load(self) -> KeyPair:
        from epp.server.x509 import verify  # noqa: PLC0415  as above

        pair = KeyPair(key=_read(self._key), chain=_read(self._chain))
        verify(pair, self._key, self._chain)
        return pair


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read {path}: {error.strerror}") from error


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # reading it will say why
    return found.st_mtime_ns, found.st_size, found.st_ino
