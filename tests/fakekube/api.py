"""What the API server makes of a request: who asks, whether it may, and who answers."""

from __future__ import annotations

from typing import Literal

from tests.fakekube import reads, writes
from tests.fakekube.access import Action, User
from tests.fakekube.answer import Answer, Refusal, json_answer, not_served
from tests.fakekube.connection import Connection, Request
from tests.fakekube.kinds import KINDS, Kind, discovery
from tests.fakekube.reviews import review
from tests.fakekube.store import Store
from tests.fakekube.target import Target, action_of, is_set, target_of
from tests.fakekube.watch import Watch, line

_VERBS = {
    "create": writes.create,
    "update": writes.update,
    "patch": writes.patch,
    "delete": writes.delete,
    "list": reads.page,
    "get": reads.get,
}


class Api:
    """The server behind its connections. Nothing here waits: an answer is of one moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.served: set[Kind] = set(KINDS)
        self.users: dict[str, User] = {}  # by token
        self.watches: set[Watch] = set()
        self.expired_as: Literal["event", "status", "close"] = "event"  # for watches

    def serve(self, connection: Connection, request: Request) -> None:
        try:
            self._serve(connection, request)
        except Refusal as refusal:
            connection.answer(refusal.answer)

    def _serve(self, connection: Connection, request: Request) -> None:
        user = self._user(connection, request)
        target = target_of(request.path)
        if target is None:
            return connection.answer(self._plain(user, request))
        action = action_of(request, target)
        if not user.may(action):
            raise _forbidden(user, action)
        kind = self._kind(target)
        if kind is None:
            return connection.answer(not_served())
        if action.verb == "watch":
            return self._watch(connection, kind, target, request)
        if kind.only_create:
            return connection.answer(review(kind, request, self.users))
        if action.verb not in _VERBS:
            raise Refusal(405, "the server does not allow this method on the requested resource")
        return connection.answer(_VERBS[action.verb](self.store, kind, target, request))

    def _user(self, connection: Connection, request: Request) -> User:
        """Identify by token, else by the name in a certificate."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token in self.users:
            return self.users[token]
        certificate = connection.transport.get_extra_info("peercert")
        if certificate and not scheme:
            return User(dict(pair for (pair,) in certificate["subject"])["commonName"])
        raise Refusal(401, "Unauthorized")

    def _plain(self, user: User, request: Request) -> Answer:
        """Answer a path that is no resource."""
        action = Action("get", url=request.path)
        if not user.may(action):
            raise _forbidden(user, action)
        if request.path in {"/healthz", "/livez", "/readyz"}:
            return Answer(200, b"ok", "text/plain; charset=utf-8")
        document = discovery(request.path, self.served)
        return not_served() if document is None else json_answer(document)

    def _kind(self, target: Target) -> Kind | None:
        wanted = (target.group, target.version, target.plural)
        for kind in self.served:
            if (kind.group, kind.version, kind.plural) == wanted:
                served = {"", "status"} if kind.has_status else {""}
                return kind if target.subresource in served else None
        return None

    def _watch(self, connection: Connection, kind: Kind, target: Target, request: Request) -> None:
        revision = reads.revision_of(self.store, request)
        wants = reads.selection(kind, request)
        from_scratch = is_set(request, "sendInitialEvents")
        old = 0 < revision < self.store.compacted and not from_scratch
        gone = Refusal(410, f"too old resource version: {revision} ({self.store.compacted})")
        if old and self.expired_as == "status":
            raise gone
        watch = Watch(
            self.store,
            connection,
            kind,
            target.namespace,
            wants,
            bookmarks=is_set(request, "allowWatchBookmarks"),
            known=self.watches,
        )
        if old:
            if self.expired_as == "event":
                connection.line(line("ERROR", gone.object))
            return watch.finish()
        if from_scratch:
            watch.replay(0)
            watch.bookmark(**{"k8s.io/initial-events-end": "true"})
        else:
            watch.replay(revision)
        timeout_s = int(request.params.get("timeoutSeconds") or 0)
        if timeout_s:
            watch.end_after(timeout_s)
        return None


def _forbidden(user: User, action: Action) -> Refusal:
    if action.url:
        who = f'forbidden: User "{user.name}" cannot {action.verb} path "{action.url}"'
        return Refusal(403, who)
    where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    qualified = f"{action.resource}.{action.group}" if action.group else action.resource
    what = f'{qualified} "{action.name}"' if action.name else qualified
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {action.verb} resource '
        f'"{action.resource}" in API group "{action.group}" {where}'
    )
    details = {"name": action.name, "group": action.group, "kind": action.resource}
    return Refusal(403, message, details=details)
