from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from epp.scrape.tls import tls_context
from tests.fakekube.certificates import Authority
from tests.scrape import certificates


def test_servers_are_verified_unless_that_is_switched_off() -> None:
    strict, lax = tls_context(), tls_context(insecure_skip_verify=True)
    assert (strict.check_hostname, strict.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert (lax.check_hostname, lax.verify_mode) == (False, ssl.CERT_NONE)


def test_authorities_of_ones_own_replace_those_of_the_system(tmp_path: Path) -> None:
    context = tls_context(ca_file=str(certificates.write(tmp_path, "127.0.0.1")))
    assert [ca["subject"] for ca in context.get_ca_certs()] == [((("commonName", "replica"),),)]


def test_a_certificate_need_not_say_which_key_signed_it(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path, bare=True), Authority(tmp_path / "other", bare=True)
    context = tls_context(ca_file=str(authority.path))
    assert authority.trusted_by(context)
    assert not other.trusted_by(context)


def test_a_missing_authorities_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tls_context(ca_file=str(tmp_path / "none.pem"))
