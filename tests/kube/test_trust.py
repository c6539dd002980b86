from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from epp.kube.credentials import Credential
from epp.kube.errors import AccessError
from epp.kube.trust import Trust
from tests.fakekube.certificates import Authority

NOBODY = Credential()


def issued(folder: Path, name: str = "ada") -> Credential:
    certificate, key = Authority(folder).issue(name)
    return Credential(certificate=certificate.read_bytes(), key=key.read_bytes())


def test_by_default_a_server_is_verified_by_the_systems_authorities() -> None:
    context = Trust().context(NOBODY)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_an_authority_replaces_those_of_the_system(tmp_path: Path) -> None:
    context = Trust(Authority(tmp_path).path.read_bytes()).context(NOBODY)
    assert len(context.get_ca_certs()) == 1


def test_a_certificate_need_not_say_which_key_signed_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path, bare=True)
    assert authority.trusted_by(Trust(authority.path.read_bytes()).context(NOBODY))


def test_verification_may_be_switched_off() -> None:
    context = Trust(verify=False).context(NOBODY)
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


@pytest.mark.parametrize("ca", [b"nonsense", b"\xff", "ä".encode()])
def test_an_authority_that_is_none_is_told_of(ca: bytes) -> None:
    with pytest.raises(AccessError, match="no PEM"):
        Trust(ca).context(NOBODY)


def test_a_certificate_and_its_key_are_taken(tmp_path: Path) -> None:
    Trust().context(issued(tmp_path))


def test_a_key_of_another_certificate_is_told_of(tmp_path: Path) -> None:
    ada, bob = issued(tmp_path), issued(tmp_path, "bob")
    with pytest.raises(AccessError, match="belong together"):
        Trust().context(Credential(certificate=ada.certificate, key=bob.key))


def test_a_key_with_a_password_does_not_ask_the_terminal(tmp_path: Path) -> None:
    ada = issued(tmp_path)
    key = serialization.load_pem_private_key(ada.key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(AccessError, match="no password"):
        Trust().context(Credential(certificate=ada.certificate, key=locked))
