"""A certificate, as gRPC takes it."""

from __future__ import annotations

import grpc

from epp.server.tls import Certificates, KeyPair


def credentials_from(certificates: Certificates) -> grpc.ServerCredentials:
    """Serve what is current at each handshake; gRPC asks from a thread of its own."""

    def changed() -> grpc.ServerCertificateConfiguration | None:
        pair = certificates.changed()
        return None if pair is None else _configuration(pair)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(certificates.current),
        changed,  # type: ignore[arg-type]  # its stub omits None, "as before"
    )


def _configuration(pair: KeyPair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)])
