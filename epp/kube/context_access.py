"""One context of a kubeconfig to a way in."""

from __future__ import annotations

import base64
import binascii

from epp.kube.access import Access
from epp.kube.credentials import Credential, Credentials, ReadCredentials
from epp.kube.errors import AccessError
from epp.kube.exec_plugin import ExecPlugin
from epp.kube.kubeconfig import Cluster, Selected, User, Written
from epp.kube.trust import Trust, check_trust


def context_access(selected: Selected) -> Access:
    """Return the server of a context and its user's credentials; AccessError if it cannot work."""
    cluster, user = selected.cluster, selected.user
    _check_cluster(cluster)
    _check_user(user)
    trust = Trust(
        _content(cluster, "certificate_authority"),
        verify=not cluster.entry.insecure_skip_tls_verify,
        server_name=cluster.entry.tls_server_name,
    )
    return Access(
        server=cluster.entry.server,
        credentials=_credentials(user, cluster, trust),
        trust=trust,
        namespace=selected.namespace,
        origin=f"{cluster.file}, context {selected.context!r}",
    )


def _credentials(user: Written[User], cluster: Written[Cluster], trust: Trust) -> Credentials:
    if user.entry.exec is not None:
        check_trust(trust, Credential(), str(cluster.file))
        return ExecPlugin(Written(user.entry.exec, user.file), cluster.entry, ca=trust.ca)

    def read() -> Credential:
        return Credential(
            token=_token(user),
            certificate=_content(user, "client_certificate"),
            key=_content(user, "client_key"),
        )

    check_trust(trust, read(), str(cluster.file))
    return ReadCredentials(read)


def _token(user: Written[User]) -> str:
    if not user.entry.token_file:
        return user.entry.token
    return _read(user, "tokenFile", user.entry.token_file).decode(errors="replace").strip()


def _content(written: Written[Cluster] | Written[User], field: str) -> bytes:
    """Return the PEM of `field`: what is written in the kubeconfig goes before a file."""
    data, path = getattr(written.entry, f"{field}_data"), getattr(written.entry, field)
    name = field.replace("_", "-")
    if not data:
        return _read(written, name, path) if path else b""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise AccessError(f"{written.file}: {name}-data is not base64") from None


def _read(written: Written[Cluster] | Written[User], name: str, path: str) -> bytes:
    try:
        return written.path(path).read_bytes()
    except OSError as error:
        raise AccessError(
            f"{written.file}: {name}: {written.path(path)} cannot be read: {error.strerror}"
        ) from error


def _check_cluster(written: Written[Cluster]) -> None:
    cluster, file = written.entry, written.file
    if not cluster.server.startswith(("https://", "http://")):
        raise AccessError(f"{file}: the cluster's server is no http or https URL")
    if cluster.proxy_url:
        raise AccessError(f"{file}: proxy-url is not supported; use a context without one")
    authority = cluster.certificate_authority or cluster.certificate_authority_data
    if cluster.insecure_skip_tls_verify and authority:
        raise AccessError(
            f"{file}: insecure-skip-tls-verify and a certificate authority exclude each other; "
            "remove the first"
        )


def _check_user(written: Written[User]) -> None:
    user, file = written.entry, written.file
    if user.username or user.password:
        raise AccessError(
            f"{file}: username and password: Kubernetes has had no basic authentication since "
            "1.19; use a token, a client certificate or an exec plugin"
        )
    if user.auth_provider is not None:
        raise AccessError(f"{file}: auth-provider is not supported; use an exec plugin")
    if user.impersonate:
        raise AccessError(f"{file}: `as` (impersonation) is not supported")
    certificate = user.client_certificate or user.client_certificate_data
    key = user.client_key or user.client_key_data
    if bool(certificate) != bool(key):
        raise AccessError(f"{file}: a client certificate and its key go together; one is missing")
