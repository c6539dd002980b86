"""The way in that every pod is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from epp.kube.access import Access
from epp.kube.credentials import Credential, ReadCredentials
from epp.kube.errors import AccessError
from epp.kube.trust import Trust, check_trust

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def is_in_cluster(environ: Mapping[str, str]) -> bool:
    """Whether this is a pod: the kubelet sets the variable in each."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST"))


def in_cluster(environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> Access:
    """Return the server that the environment names, and the pod's service account."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")

    def read() -> Credential:
        return Credential(token=_text(service_account / "token"))

    trust = Trust(_text(service_account / "ca.crt").encode())
    check_trust(trust, read(), str(service_account / "ca.crt"))
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        credentials=ReadCredentials(read),
        trust=trust,
        namespace=_text(service_account / "namespace"),
        origin=str(service_account),
    )


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise AccessError(
            f"{file}: cannot be read ({type(error).__name__}); the pod needs a service account "
            "with automountServiceAccountToken, or a kubeconfig"
        ) from error
    if not text:
        raise AccessError(f"{file}: is empty; the kubelet writes it again within a minute")
    return text
