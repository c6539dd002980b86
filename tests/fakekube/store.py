"""Every object under one resourceVersion, and what became of them."""

from __future__ import annotations

import datetime
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.fakekube.kinds import Json, Kind

Key = tuple[Kind, str, str]  # kind, namespace, name


class Change(msgspec.Struct, frozen=True):
    """One write; no object before is a creation, none after is a removal."""

    revision: int
    key: Key
    before: Json | None
    after: Json | None


class TooOld(Exception):  # noqa: N818 (an answer to a question about the past)
    """The history no longer reaches back to the revision that was asked for."""


class Store:
    """Objects are never changed in place: whoever has one keeps it as it was."""

    def __init__(self, history: int = 100_000) -> None:
        self.revision = 1000
        self.compacted = 1000
        self.listeners: set[Callable[[Change], None]] = set()
        self._objects: dict[Key, Json] = {}
        self._history: deque[Change] = deque(maxlen=history)

    def get(self, key: Key) -> Json | None:
        return self._objects.get(key)

    def put(self, kind: Kind, obj: Json) -> Json:
        """Create or replace an object; one that is the same stays as it is."""
        fresh: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(obj))
        fresh = {"apiVersion": kind.api_version, "kind": kind.name} | fresh
        meta = fresh["metadata"]
        key = (kind, meta.get("namespace", ""), meta["name"])
        before = self._objects.get(key)
        was = before["metadata"] if before else _born()
        for field in ("uid", "creationTimestamp", "resourceVersion"):
            meta[field] = was[field]
        if kind.has_status:
            meta["generation"] = was.get("generation", 1)
        if fresh == before:
            return before
        if before and kind.has_status and fresh.get("spec") != before.get("spec"):
            meta["generation"] += 1
        self.revision += 1
        meta["resourceVersion"] = str(self.revision)
        self._objects[key] = fresh
        self._happened(Change(self.revision, key, before, fresh))
        return fresh

    def remove(self, key: Key) -> Json:
        """Remove an object and return it with the resourceVersion of its end."""
        before = self._objects.pop(key)
        self.revision += 1
        self._happened(Change(self.revision, key, before, None))
        return stamped(before, self.revision)

    def collection(self, kind: Kind, namespace: str, at: int | None = None) -> list[Json]:
        """Return the objects in order of their names, as they were at a revision."""
        objects = self._objects
        if at is not None and at < self.revision:
            objects = dict(objects)
            for change in self._back_to(at):
                if change.before is None:
                    del objects[change.key]
                else:
                    objects[change.key] = change.before
        keys = (key for key in objects if key[0] == kind and namespace in {"", key[1]})
        return [objects[key] for key in sorted(keys, key=lambda key: key[1:])]

    def since(self, revision: int) -> list[Change]:
        """Return the changes after a revision, oldest first."""
        return list(self._back_to(revision))[::-1]

    def compact(self) -> None:
        """Forget the history. What others did in the meantime makes every known revision old."""
        self.revision += 1
        self.compacted = self.revision
        self._history.clear()

    def _back_to(self, revision: int) -> Iterator[Change]:
        if revision < self.compacted:
            raise TooOld(f"too old resource version: {revision} ({self.compacted})")
        for change in reversed(self._history):
            if change.revision <= revision:
                return
            yield change

    def _happened(self, change: Change) -> None:
        if len(self._history) == self._history.maxlen:
            self.compacted = self._history[0].revision
        self._history.append(change)
        for listener in tuple(self.listeners):
            listener(change)


def stamped(obj: Json, revision: int) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}


def now() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _born() -> Json:
    return {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "resourceVersion": ""}
