"""What a pool's picker may do: read, in the namespace of the pool."""

from __future__ import annotations

from epp.manifests.names import LEGACY_POOL_GROUP, POOL_GROUP
from epp.manifests.render.pool import Pool
from epp.manifests.render.yaml_text import Noted, Value

_RBAC = "rbac.authorization.k8s.io"


def service_account(pool: Pool) -> dict[str, Value]:
    """Return the ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(pool),
        "automountServiceAccountToken": Noted(
            False, "The Deployment asks for its token; nobody else gets one."
        ),
    }


def role(pool: Pool) -> dict[str, Value]:
    """Return the Role."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": _metadata(pool),
        "rules": [
            _rule([POOL_GROUP], ["inferencepools"], ["list", "watch"]),
            Noted(
                _rule([LEGACY_POOL_GROUP], ["inferencepools"], ["list", "watch"]),
                "The pool as older clusters serve it.",
            ),
            _rule([""], ["pods"], ["list", "watch"]),
            Noted(
                _rule(
                    ["llm-d.ai", LEGACY_POOL_GROUP],
                    ["inferenceobjectives", "inferencemodelrewrites"],
                    ["list", "watch"],
                ),
                "Priorities and model rewrites, where their kinds are installed.",
            ),
        ],
    }


def role_binding(pool: Pool) -> dict[str, Value]:
    """Return the RoleBinding."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(pool),
        "subjects": [{"kind": "ServiceAccount", "name": pool.picker, "namespace": pool.namespace}],
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": pool.picker},
    }


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Value]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _metadata(pool: Pool) -> dict[str, Value]:
    return {
        "name": pool.picker,
        "namespace": pool.namespace,
        "labels": dict(pool.picker_labels),
    }
