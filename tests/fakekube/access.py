"""Who asks, and what roles grant to them (RBAC)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tests.fakekube.kinds import Json

DISCOVERY = frozenset({"api", "apis", "version", "openapi", "healthz", "livez", "readyz"})


class Action(msgspec.Struct, frozen=True):
    """What somebody is about to do."""

    verb: str
    group: str = ""
    resource: str = ""  # with its subresource: pods/status
    namespace: str = ""
    name: str = ""
    url: str = ""  # instead of a resource


class Grant(msgspec.Struct, frozen=True):
    """One rule, for a namespace or for all of the cluster."""

    namespace: str | None
    rule: Json

    def allows(self, action: Action) -> bool:
        if self.namespace not in {None, action.namespace} or not self._has("verbs", action.verb):
            return False
        if action.url:
            return self.namespace is None and self._has("nonResourceURLs", action.url)
        names = self.rule.get("resourceNames")
        return (
            self._has("apiGroups", action.group)
            and self._has("resources", action.resource)
            and (not names or action.name in names)
        )

    def _has(self, field: str, value: str) -> bool:
        return not {"*", value}.isdisjoint(self.rule.get(field, ()))


class User(msgspec.Struct, frozen=True):
    """Somebody with a token or a certificate; without grants all is allowed."""

    name: str
    groups: Sequence[str] = ("system:authenticated",)
    grants: Sequence[Grant] | None = None

    def may(self, action: Action) -> bool:
        if action.url and action.url.split("/")[1] in DISCOVERY:
            return True
        return self.grants is None or any(grant.allows(action) for grant in self.grants)


def grants_of(objects: Iterable[Json], namespace: str, account: str) -> list[Grant]:
    """Return what roles and bindings give to a service account.

    Where there are no bindings at all, every role is bound to it: a Role in its own namespace, a
    ClusterRole everywhere.
    """
    found = list(objects)
    roles = [obj for obj in found if obj["kind"] in {"Role", "ClusterRole"}]
    bindings = [obj for obj in found if obj["kind"] in {"RoleBinding", "ClusterRoleBinding"}]
    if not bindings:
        return [
            Grant(_namespace(role, namespace), rule) for role in roles for rule in role["rules"]
        ]
    return [
        grant
        for binding in bindings
        if any(_is(subject, namespace, account) for subject in binding["subjects"])
        for grant in _bound(binding, roles, namespace)
    ]


def _bound(binding: Json, roles: Iterable[Json], namespace: str) -> Iterator[Grant]:
    where = _namespace(binding, namespace)
    wanted = (binding["roleRef"]["kind"], binding["roleRef"]["name"])
    for role in roles:
        reachable = role["kind"] == "ClusterRole" or _namespace(role, namespace) == where
        if (role["kind"], role["metadata"]["name"]) == wanted and reachable:
            yield from (Grant(where, rule) for rule in role["rules"])


def _is(subject: Json, namespace: str, account: str) -> bool:
    who = (subject["kind"], subject.get("namespace", namespace), subject["name"])
    return who == ("ServiceAccount", namespace, account)


def _namespace(obj: Json, default: str) -> str | None:
    if obj["kind"].startswith("Cluster"):
        return None
    namespace: str = obj["metadata"].get("namespace", default)
    return namespace
