"""Questions to the API server about tokens and rights."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fakekube.access import Action, User
from tests.fakekube.answer import Answer, json_answer
from tests.fakekube.connection import Request
from tests.fakekube.kinds import TOKEN_REVIEW, Json, Kind
from tests.fakekube.writes import decoded

NOBODY = User("system:anonymous", groups=(), grants=())


def review(kind: Kind, request: Request, users: Mapping[str, User]) -> Answer:
    """Answer a TokenReview or a SubjectAccessReview."""
    body = decoded(request)
    spec = body["spec"]
    if kind == TOKEN_REVIEW:
        status = _identity(users.get(spec.get("token", "")))
    else:
        known = {user.name: user for user in users.values()}
        status = {"allowed": known.get(spec.get("user", ""), NOBODY).may(_action(spec))}
    return json_answer({**body, "metadata": {}, "status": status}, 201)


def _identity(user: User | None) -> Json:
    if user is None:
        return {"authenticated": False, "error": "invalid bearer token"}
    return {"authenticated": True, "user": {"username": user.name, "groups": list(user.groups)}}


def _action(spec: Json) -> Action:
    url = spec.get("nonResourceAttributes")
    if url:
        return Action(url["verb"], url=url["path"])
    asked = spec.get("resourceAttributes", {})
    resource = f"{asked.get('resource', '')}/{asked.get('subresource', '')}".strip("/")
    where = asked.get("namespace", ""), asked.get("name", "")
    return Action(asked.get("verb", ""), asked.get("group", ""), resource, *where)
