"""What the API server makes of a request: path and verb, the right to it, and the answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tests.fakekube.access import Action, User
from tests.fakekube.answer import Answer, Refusal, about, json_answer, not_served
from tests.fakekube.connection import Request
from tests.fakekube.kinds import LEASE, POD, Json, Kind, discovery
from tests.fakekube.merge import merged
from tests.fakekube.selector import named, wanted
from tests.fakekube.store import Key, Store, TooOld, now


class Target(msgspec.Struct, frozen=True):
    """The resource that a path names."""

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


def verb_of(request: Request, target: Target) -> str:
    if request.method == "GET" and not target.name:
        return "watch" if request.params.get("watch", "0").lower() in {"1", "true"} else "list"
    if request.method == "DELETE" and not target.name:
        return "deletecollection"
    verbs = {
        "GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"
    }  # fmt: skip
    return verbs.get(request.method, "")


class Api:
    """Answers everything but watches, which `open_watch` opens."""

    def __init__(self, store: Store, served: set[Kind], users: Callable[[], list[User]]) -> None:
        self._store = store
        self._served = served
        self._users = users
        self._verbs: dict[str, Callable[[Request, Target, Kind], Answer]] = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
        }
