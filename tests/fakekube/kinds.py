"""The kinds that are served, and the discovery documents that follow from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

Json = Mapping[str, Any]
Fields = dict[str, Any]  # of an object in the making


class Kind(msgspec.Struct, frozen=True):
    """A resource under one group and version."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True
    has_status: bool = False
    unconditional: bool = False  # a PUT without resourceVersion is taken
    fields: frozenset[str] = frozenset()  # that a field selector may name
    only_create: bool = False  # a review: answered, not stored
    custom: bool = False  # defined by a CustomResourceDefinition

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the name that error messages use."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return where a collection or an object is served."""
        within = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{self.root}{within}/{self.plural}" + (f"/{name}" if name else "")


POD = Kind(
    "", "v1", "pods", "Pod", has_status=True, unconditional=True,
    fields=frozenset({"spec.nodeName", "status.phase", "status.podIP"}),
)  # fmt: skip
SERVICE = Kind("", "v1", "services", "Service", has_status=True, unconditional=True)
SECRET = Kind("", "v1", "secrets", "Secret", unconditional=True, fields=frozenset({"type"}))
EVENT = Kind(
    "", "v1", "events", "Event", unconditional=True,
    fields=frozenset({"reason", "type", "involvedObject.kind", "involvedObject.name"}),
)  # fmt: skip
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
POOL = Kind(
    "inference.networking.k8s.io",
    "v1",
    "inferencepools",
    "InferencePool",
    has_status=True,
    custom=True,
)
OLD_POOL = Kind(
    "inference.networking.x-k8s.io",
    "v1alpha2",
    "inferencepools",
    "InferencePool",
    has_status=True,
    custom=True,
)
OBJECTIVE = Kind(
    "llm-d.ai",
    "v1alpha2",
    "inferenceobjectives",
    "InferenceObjective",
    has_status=True,
    custom=True,
)
REWRITE = Kind(
    "llm-d.ai",
    "v1alpha2",
    "inferencemodelrewrites",
    "InferenceModelRewrite",
    has_status=True,
    custom=True,
)
TOKEN_REVIEW = Kind(
    "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False, only_create=True
)
ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview",
    namespaced=False, only_create=True,
)  # fmt: skip

KINDS = (
    POD, SERVICE, SECRET, EVENT, LEASE, POOL, OLD_POOL, OBJECTIVE, REWRITE,
    TOKEN_REVIEW, ACCESS_REVIEW,
)  # fmt: skip

VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.1", "platform": "linux/amd64"}


def kind_of(obj: Json) -> Kind:
    """Return the kind that an object says it is."""
    for kind in KINDS:
        if (kind.api_version, kind.name) == (obj["apiVersion"], obj["kind"]):
            return kind
    raise LookupError(f"{obj['apiVersion']} {obj['kind']} is not among the kinds of this server")


def discovery(path: str, served: Collection[Kind]) -> Json | None:
    """Return the discovery document at a path."""
    match path.strip("/").split("/"):
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(_groups(served))}
        case ["apis", group]:
            return next((g for g in _groups(served) if g["name"] == group), None)
        case ["api", version]:
            return _resources([kind for kind in served if kind.api_version == version])
        case ["apis", group, version]:
            return _resources([kind for kind in served if kind.api_version == f"{group}/{version}"])
        case ["openapi", "v3"]:
            roots = {kind.root for kind in served}
            return {"paths": {r[1:]: {"serverRelativeURL": f"/openapi/v3{r}"} for r in roots}}
        case ["openapi", "v3", *root]:
            return _openapi([kind for kind in served if kind.root == "/" + "/".join(root)])
        case _:
            return None


def _groups(served: Collection[Kind]) -> Iterator[Json]:
    for name in sorted({kind.group for kind in served if kind.group}):
        versions = [
            {"groupVersion": f"{name}/{version}", "version": version}
            for version in sorted({kind.version for kind in served if kind.group == name})
        ]
        yield {
            "kind": "APIGroup", "apiVersion": "v1", "name": name,
            "versions": versions, "preferredVersion": versions[0],
        }  # fmt: skip


def _resources(found: list[Kind]) -> Json | None:
    resources: list[Json] = []
    for kind in found:
        verbs = "create" if kind.only_create else "create delete get list patch update watch"
        named = {"singularName": kind.name.lower(), "namespaced": kind.namespaced}
        resources.append({"name": kind.plural, **named, "kind": kind.name, "verbs": verbs.split()})
        if kind.has_status:
            status = {"name": f"{kind.plural}/status", "kind": kind.name}
            resources.append({**status, **named, "verbs": ["get", "patch", "update"]})
    if not found:
        return None
    version = found[0].api_version
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}


def _openapi(found: list[Kind]) -> Json:
    """Return what kubectl looks for: that a PATCH may ask for validation by the server."""
    paths = {
        kind.path("{namespace}", "{name}"): {
            "patch": {
                "parameters": [{"name": "fieldValidation", "in": "query"}],
                "responses": {},
                "x-kubernetes-group-version-kind": {
                    "group": kind.group,
                    "version": kind.version,
                    "kind": kind.name,
                },
            }
        }
        for kind in found
    }
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths}
