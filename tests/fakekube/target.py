"""What a request is about: the resource that its path names, and the verb."""

from __future__ import annotations

import msgspec

from tests.fakekube.access import Action
from tests.fakekube.connection import Request
from tests.fakekube.selector import named

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Target(msgspec.Struct, frozen=True):
    """A resource, as a path spells it; it need not be served."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def target_of(path: str) -> Target | None:
    """Read a path; None where it names no resource."""
    match path.strip("/").split("/"):
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if rest:
            pass
        case _:
            return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        _, namespace, *rest = rest
    name, subresource = [*rest[1:], "", ""][:2]
    return Target(group, version, rest[0], namespace, name, subresource)


def action_of(request: Request, target: Target) -> Action:
    """Return what RBAC decides about."""
    verb = _VERBS.get(request.method, request.method.lower())
    if not target.name and verb == "get":
        verb = "watch" if is_set(request, "watch") else "list"
    if not target.name and verb == "delete":
        verb = "deletecollection"
    resource = f"{target.plural}/{target.subresource}".strip("/")
    # a collection narrowed to one name counts as that object
    name = target.name or named(request.params.get("fieldSelector", ""))
    return Action(verb, target.group, resource, target.namespace, name)


def is_set(request: Request, parameter: str) -> bool:
    return request.params.get(parameter, "").lower() in {"1", "t", "true"}
