"""A copy of one collection of objects, from pages of lists and lines of watches."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from epp.kube.errors import NOT_AS_PROMISED, UnreadableError
from epp.kube.objects import KubeObject, ObjectMeta
from epp.kube.status import reported

log = logging.getLogger("epp.kube")

T = TypeVar("T", bound=KubeObject)


class _ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct, frozen=True):
    kind: str = ""
    metadata: _ListMeta = _ListMeta()
    items: Sequence[msgspec.Raw] | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _Bookmark(msgspec.Struct, frozen=True):
    metadata: _ListMeta


_decode_list = msgspec.json.Decoder(_List).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_bookmark = msgspec.json.Decoder(_Bookmark).decode


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; `more` is the token that asks for the next part."""

    objects: Mapping[str, T]
    resource_version: str
    more: str


class Collection(Generic[T]):
    """The objects by name, or by `namespace/name` if there may be several namespaces.

    An object that has not the shape of `kind` is logged and counts as absent: one that a newer
    server wrote must not take the others away.
    """

    def __init__(self, kind: type[T], *, one_namespace: bool = True) -> None:
        self.objects: dict[str, T] = {}
        self.resource_version = ""
        self._decode = msgspec.json.Decoder(kind).decode
        self._kind = kind
        self._one_namespace = one_namespace

    def page(self, body: bytes) -> Page[T]:
        """Read an answer to a list; UnreadableError if it is none, whatever its status was."""
        try:
            read = _decode_list(body)
        except NOT_AS_PROMISED as error:
            raise UnreadableError(f"not a list: {error}") from error
        if not read.kind.endswith("List") or not read.metadata.resource_version:
            raise UnreadableError(f"not a list but a {read.kind or 'document without a kind'}")
        fitting = filter(None, map(self._object, read.items or ()))
        return Page(
            {self._name(item.metadata): item for item in fitting},
            read.metadata.resource_version,
            read.metadata.continue_,
        )

    def replace(self, objects: Mapping[str, T], resource_version: str) -> bool:
        """Take over a whole list; tells whether anything is different.

        What did not change stays the same object, so that others can go by identity.
        """
        former = self.objects
        self.resource_version = resource_version
        self.objects = {
            name: former[name] if name in former and _same(former[name], item) else item
            for name, item in objects.items()
        }
        return self.objects.keys() != former.keys() or any(
            item is not former[name] for name, item in self.objects.items()
        )

    def apply(self, line: bytes) -> bool:
        """Take over an event; tells whether anything is different. Raises what an ERROR says."""
        try:
            event = _decode_event(line)
            if event.type == "ERROR":
                raise reported(event.object)
            meta = _decode_bookmark(event.object).metadata
        except NOT_AS_PROMISED as error:
            raise UnreadableError(f"not an event: {error}") from error
        if not meta.resource_version:
            raise UnreadableError("an event without a resource version")
        changed = event.type != "BOOKMARK" and self._take(event)
        self.resource_version = meta.resource_version
        return changed

    def _take(self, event: _Event) -> bool:
        item = self._object(event.object)
        if item is None:
            return False
        name = self._name(item.metadata)
        former = self.objects.get(name)
        if event.type == "DELETED":
            return self.objects.pop(name, None) is not None
        if former is not None and _same(former, item):
            return False
        self.objects[name] = item
        return True

    def _object(self, raw: msgspec.Raw) -> T | None:
        try:
            return self._decode(raw)
        except NOT_AS_PROMISED as error:
            log.warning("an object is left out: not a %s: %s", self._kind.__name__, error)
            return None

    def _name(self, meta: ObjectMeta) -> str:
        return meta.name if self._one_namespace else f"{meta.namespace}/{meta.name}"


def _same(former: KubeObject, item: KubeObject) -> bool:
    return (
        former.metadata.uid == item.metadata.uid
        and former.metadata.resource_version == item.metadata.resource_version
    )
