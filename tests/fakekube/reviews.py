"""Questions to the API server about tokens and rights."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tests.fakekube.access import Action, User
from tests.fakekube.answer import Answer, json_answer
from tests.fakekube.connection import Request
from tests.fakekube.kinds import ACCESS_REVIEW, TOKEN_REVIEW, Json, Kind

NOBODY = User("system:anonymous", groups=(), grants=())


def review(kind: Kind, request: Request, asking: User, users: Mapping[str, User]) -> Answer:
    """Answer a TokenReview or one of the SubjectAccessReviews."""
    body = msgspec.json.decode(request.body)
    spec = body["spec"]
    if kind == TOKEN_REVIEW:
        status = _identity(users.get(spec.get("token", "")))
    else:
        known = {user.name: user for user in users.values()}
        whom = known.get(spec.get("user"), NOBODY) if kind == ACCESS_REVIEW else asking
        status = {"allowed": whom.may(_action(spec))}
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
