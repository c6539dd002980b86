from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from epp.server.errors import CertificateError
from epp.server.tls import (
    CertificateFiles,
    KeyPair,
    MadeUpCertificate,
)
from epp.server.x509 import self_signed
from tests.server.loopback import Echoes, Serving, open_stream

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def put(folder: Path, pair: KeyPair) -> None:
    (folder / "tls.key").write_bytes(pair.key)
    (folder / "tls.crt").write_bytes(pair.chain)


async def served_by(port: int) -> bytes:
    """Shake hands anew and give the certificate that was shown, as PEM."""
    return (await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))).encode()


async def talk(port: int, trusted: bytes, name: str) -> None:
    async with grpc.aio.secure_channel(
        f"{name}:{port}", grpc.ssl_channel_credentials(trusted)
    ) as channel:
        await open_stream(channel)


async def test_a_made_up_certificate_serves_any_who_take_it(serving: Serving) -> None:
    async with serving(Echoes().services, certificates=MadeUpCertificate()) as listener:
        shown = await served_by(listener.port)

        for name in ("localhost", "127.0.0.1"):
            await talk(listener.port, shown, name)


async def test_a_peer_that_trusts_another_certificate_gets_no_answer(serving: Serving) -> None:
    async with serving(Echoes().services, certificates=MadeUpCertificate()) as listener:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await talk(listener.port, self_signed(NOW).chain, "localhost")

    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_made_up_certificate_is_for_this_machine_and_for_years() -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(NOW).chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert ip_address("::1") in names.get_values_for_type(x509.IPAddress)
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc.year == 2036
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_a_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(self_signed(NOW))


async def test_a_new_pair_is_served_from_the_next_handshake_on(
    serving: Serving, tmp_path: Path
) -> None:
    old, new = self_signed(NOW), self_signed(NOW)
    put(tmp_path, old)
    async with serving(Echoes().services, certificates=CertificateFiles(tmp_path)) as listener:
        assert await served_by(listener.port) == old.chain
        put(tmp_path, new)

        assert await served_by(listener.port) == new.chain
        await talk(listener.port, new.chain, "localhost")


async def test_a_pair_behind_a_link_that_is_moved_is_noticed(
    serving: Serving, tmp_path: Path
) -> None:
    old, new = self_signed(NOW), self_signed(NOW)
    for name, pair in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        put(tmp_path / name, pair)
    link, moved = tmp_path / "current", tmp_path / "moved"
    link.symlink_to("old")
    async with serving(certificates=CertificateFiles(link)) as listener:
        assert await served_by(listener.port) == old.chain
        moved.symlink_to("new")
        moved.rename(link)

        assert await served_by(listener.port) == new.chain


def cut_the_certificate(folder: Path) -> None:
    (folder / "tls.crt").write_text("half of a")


def exchange_the_key(folder: Path) -> None:
    (folder / "tls.key").write_bytes(self_signed(NOW).key)


def remove_the_certificate(folder: Path) -> None:
    (folder / "tls.crt").unlink()


@pytest.mark.parametrize("harm", [cut_the_certificate, exchange_the_key, remove_the_certificate])
async def test_a_broken_pair_is_reported_once_and_the_last_good_one_kept(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    old, new = self_signed(NOW), self_signed(NOW)
    put(tmp_path, old)
    async with serving(certificates=CertificateFiles(tmp_path)) as listener:
        assert await served_by(listener.port) == old.chain
        harm(tmp_path)

        assert [await served_by(listener.port) for _ in range(2)] == [old.chain] * 2
        (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        assert "keeping the previous certificate" in warning
        assert str(tmp_path) in warning

        put(tmp_path, new)
        assert await served_by(listener.port) == new.chain


def test_files_are_read_again_only_when_they_have_changed(tmp_path: Path) -> None:
    old, new = self_signed(NOW), self_signed(NOW)
    put(tmp_path, old)
    files = CertificateFiles(tmp_path)

    assert files.changed() is None
    assert files.current == old

    put(tmp_path, new)
    assert files.changed() is not None
    assert files.current == new
    assert files.changed() is None

    remove_the_certificate(tmp_path)
    assert files.changed() is None
    assert files.current == new


@pytest.mark.parametrize("missing", ["tls.key", "tls.crt"])
def test_a_file_that_is_missing_at_start_is_named(tmp_path: Path, missing: str) -> None:
    put(tmp_path, self_signed(NOW))
    (tmp_path / missing).unlink()

    with pytest.raises(CertificateError) as raised:
        CertificateFiles(tmp_path)

    assert str(raised.value) == f"cannot read {tmp_path / missing}: No such file or directory"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("tls.key", "is not a PEM key without a password"),
        ("tls.crt", "is not a PEM certificate"),
    ],
)
def test_a_file_that_is_broken_at_start_is_named(tmp_path: Path, name: str, complaint: str) -> None:
    put(tmp_path, self_signed(NOW))
    (tmp_path / name).write_text("nonsense")

    with pytest.raises(CertificateError) as raised:
        CertificateFiles(tmp_path)

    assert str(raised.value) == f"{tmp_path / name} {complaint}"


def test_a_key_with_a_password_is_refused_at_start(tmp_path: Path) -> None:
    pair = self_signed(NOW)
    put(tmp_path, pair)
    key = serialization.load_pem_private_key(pair.key, None)
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(CertificateError, match="is not a PEM key without a password"):
        CertificateFiles(tmp_path)


def test_a_key_of_another_certificate_is_refused_at_start(tmp_path: Path) -> None:
    put(tmp_path, self_signed(NOW))
    (tmp_path / "tls.key").write_bytes(self_signed(NOW).key)

    with pytest.raises(CertificateError, match=r"tls\.key is not the key of .*tls\.crt"):
        CertificateFiles(tmp_path)
