"""Where the API server is, and how to be let in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from epp.kube.credentials import Credential, Credentials, ReadCredentials
from epp.kube.errors import AccessError
from epp.kube.exec_plugin import ExecPlugin
from epp.kube.kubeconfig import Cluster, Kubeconfig, Selected, User, Written
from epp.kube.trust import Trust

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Access(msgspec.Struct, frozen=True):
    """One API server; `origin` says where this is from, `namespace` is the one to be in."""

    server: str
    credentials: Credentials
    trust: Trust = Trust()
    namespace: str = "default"
    origin: str = ""


async def find_access(
    kubeconfig: Path | None,
    context: str = "",
    *,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Access:
    """Return the first of: `kubeconfig`, $KUBECONFIG, the pod's service account, ~/.kube/config.

    A `context` is one of a kubeconfig, so that the service account is passed over.
    """
    return await asyncio.to_thread(_find, kubeconfig, context, environ, service_account)


def from_kubeconfig(selected: Selected) -> Access:
    """Return what a context of a kubeconfig leads to."""
    cluster, user = selected.cluster, selected.user
    _refuse_what_cannot_work(cluster, user)
    ca = _content(
        cluster, "certificate-authority", "certificate_authority", cluster.entry.insecure_skip_tls_verify
    )
    return Access(
        server=cluster.entry.server,
        credentials=_credentials(user, cluster.entry, ca),
        trust=Trust(
            ca,
            verify=not cluster.entry.insecure_skip_tls_verify,
            server_name=cluster.entry.tls_server_name,
        ),
        namespace=selected.namespace,
        origin=f"{cluster.file}, context {selected.context!r}",
    )


def in_cluster(
    environ: Mapping[str, str] = os.environ, service_account: Path = SERVICE_ACCOUNT
) -> Access:
    """Return what a pod is given: the address by environment, the rest in files."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")

    def read() -> Credential:
        return Credential(token=_bytes(service_account / "token").decode().strip())

    read()
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        credentials=ReadCredentials(read),
        trust=Trust(_bytes(service_account / "ca.crt")),
        namespace=_bytes(service_account / "namespace").decode().strip() or "default",
        origin=str(service_account),
    )
