"""kubeconfig files as tests need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from epp.kube.kubeconfig import Kubeconfig, Selected


def write(
    file: Path,
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    name: str = "one",
    current: str = "one",
    **context: Any,
) -> Path:
    """Write a file with one cluster, user and context of one name."""
    server = {"server": "https://10.0.0.1:6443"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": name, "cluster": server if cluster is None else server | cluster}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
        "current-context": current,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(document))
    return file


def selected(file: Path, **what: Any) -> Selected:
    return Kubeconfig([write(file, **what)]).select()
