"""A copy of one collection of objects, from pages of lists and lines of watches; pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from epp.kube.errors import UnreadableError
from epp.kube.objects import KubeObject
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
