"""One watch: the changes of a collection as lines, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from tests.fakekube.connection import Connection
from tests.fakekube.kinds import POD, Fields, Json, Kind
from tests.fakekube.selector import Wanted
from tests.fakekube.store import Change, Store, stamped


class Watch:
    """Open from its building to its end; the server knows all open ones by `known`."""

    def __init__(
        self,
        store: Store,
        connection: Connection,
        kind: Kind,
        namespace: str,
        wanted: Wanted,
        *,
        bookmarks: bool,
        known: set[Watch],
    ) -> None:
        self.connection = connection
        self.kind = kind
        self._store = store
        self._namespace = namespace
        self._wanted = wanted
        self._bookmarks = bookmarks
        self._known = known
        self._timer: asyncio.TimerHandle | None = None
        connection.lost.append(self.forget)
        connection.begin_lines()
        known.add(self)
        store.listeners.add(self._tell)

    def replay(self, revision: int) -> None:
        """Tell what happened since a revision; 0 stands for all that is there."""
        if revision:
            for change in self._store.since(revision):
                self._tell(change)
        else:
            for obj in self.objects:
                self.connection.line(line("ADDED", obj))

    def end_after(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._time_out)

    @property
    def objects(self) -> list[Json]:
        """Return what the watch is about at this moment."""
        found = self._store.collection(self.kind, self._namespace)
        return [obj for obj in found if self._wanted(obj)]

    def bookmark(self, **annotations: str) -> None:
        """Tell the revision that the watch has reached, if it wants that."""
        if self._bookmarks:
            revision = str(self._store.revision)
            self.connection.line(line("BOOKMARK", _bookmark(self.kind, revision, annotations)))

    def finish(self) -> None:
        """End as a watch ends whose time is over."""
        self.connection.end_lines()
        self.forget()

    def forget(self) -> None:
        self._known.discard(self)
        self._store.listeners.discard(self._tell)
        if self._timer:
            self._timer.cancel()

    def _time_out(self) -> None:
        self.bookmark()
        self.finish()

    def _tell(self, change: Change) -> None:
        kind, namespace, _ = change.key
        if kind != self.kind or self._namespace not in {"", namespace}:
            return
        was = change.before is not None and self._wanted(change.before)
        if change.after is not None and self._wanted(change.after):
            self.connection.line(line("MODIFIED" if was else "ADDED", change.after))
        elif was and change.before is not None:
            self.connection.line(line("DELETED", stamped(change.before, change.revision)))


def line(event: str, obj: Json) -> bytes:
    return msgspec.json.encode({"type": event, "object": obj}) + b"\n"


def _bookmark(kind: Kind, revision: str, annotations: Mapping[str, str]) -> Json:
    meta: Fields = {"resourceVersion": revision, "creationTimestamp": None}
    if annotations:
        meta["annotations"] = annotations
    obj: Fields = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": meta}
    # Go's zero value of a pod, which strict decoders stumble over
    return obj | {"spec": {"containers": None}, "status": {}} if kind == POD else obj
