"""Finds the way to the API server, as kubectl and controllers do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from epp.kube.access import Access
from epp.kube.context_access import context_access
from epp.kube.errors import AccessError
from epp.kube.in_cluster import SERVICE_ACCOUNT, in_cluster, is_in_cluster
from epp.kube.kubeconfig import Kubeconfig


async def find_access(
    kubeconfig: Path | None,
    context: str = "",
    *,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Access:
    """Return the first of: `kubeconfig`, $KUBECONFIG, the pod's service account, ~/.kube/config.

    A `context` is one of a kubeconfig: the service account is passed over.
    """
    return await asyncio.to_thread(_find, kubeconfig, context, environ, service_account)


def _find(
    kubeconfig: Path | None, context: str, environ: Mapping[str, str], service_account: Path
) -> Access:
    if kubeconfig is not None:
        files = [kubeconfig]
    elif environ.get("KUBECONFIG"):
        files = _listed(environ["KUBECONFIG"])
    elif is_in_cluster(environ) and not context:
        return in_cluster(environ, service_account)
    else:
        files = [_usual(environ)]
    return context_access(Kubeconfig(files).select(context))


def _listed(variable: str) -> list[Path]:
    """Return the files of $KUBECONFIG that exist: kubectl passes over the others too."""
    files = [Path(name).expanduser() for name in variable.split(os.pathsep) if name]
    present = [file for file in files if file.exists()]
    if not present:
        raise AccessError(f"KUBECONFIG={variable}: no such file; correct it, or name one")
    return present


def _usual(environ: Mapping[str, str]) -> Path:
    file = Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"
    if not file.exists():
        raise AccessError(
            f"no Kubernetes API server to talk to: this is no pod, and {file} does not exist; "
            "name a kubeconfig"
        )
    return file
