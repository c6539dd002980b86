"""The server's certificate: from files that may change while it runs, or made up at start."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from epp.server.errors import CertificateError

_log = logging.getLogger(__name__)

_LIFETIME = timedelta(days=3650)
_CLOCK_SKEW = timedelta(hours=1)


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
        pair = KeyPair(key=_read(self._key), chain=_read(self._chain))
        try:
            key = serialization.load_pem_private_key(pair.key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise CertificateError(f"{self._key} is not a PEM key without a password") from error
        try:
            leaf, *_ = x509.load_pem_x509_certificates(pair.chain)
        except ValueError as error:
            raise CertificateError(f"{self._chain} is not a PEM certificate") from error
        if key.public_key() != leaf.public_key():
            raise CertificateError(f"{self._key} is not the key of {self._chain}")
        return pair


def self_signed(now: datetime) -> KeyPair:
    """Make up a key and a certificate for this machine's names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "epp")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_own_names()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        chain=certificate.public_bytes(serialization.Encoding.PEM),
    )


def _own_names() -> list[x509.GeneralName]:
    addresses = [x509.IPAddress(ip_address(a)) for a in ("127.0.0.1", "::1")]
    return [x509.DNSName("localhost"), x509.DNSName(socket.gethostname()), *addresses]


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
