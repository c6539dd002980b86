"""Keys and certificates: made up, and looked at before they are used."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from epp.server.errors import CertificateError
from epp.server.tls import KeyPair

_LIFETIME = timedelta(days=3650)
_CLOCK_SKEW = timedelta(hours=1)


def verify(pair: KeyPair, key_file: Path, chain_file: Path) -> None:
    """Refuse what could not be served; CertificateError says which file is to blame."""
    try:
        key = serialization.load_pem_private_key(pair.key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{key_file} is not a PEM key without a password") from error
    try:
        leaf, *_ = x509.load_pem_x509_certificates(pair.chain)
    except ValueError as error:
        raise CertificateError(f"{chain_file} is not a PEM certificate") from error
    if key.public_key() != leaf.public_key():
        raise CertificateError(f"{key_file} is not the key of {chain_file}")


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
