"""Reading: one object, a page of a collection, or a watch on it."""

from __future__ import annotations

import base64
import binascii

import msgspec

from tests.fakekube.answer import Answer, Refusal, about, json_answer
from tests.fakekube.connection import Request
from tests.fakekube.kinds import Json, Kind
from tests.fakekube.selector import Wanted, wanted
from tests.fakekube.store import Store, TooOld
from tests.fakekube.target import Target


class _Continue(msgspec.Struct):
    """Where a list goes on: as of which revision, behind which object."""

    revision: int
    after: tuple[str, str]


def get(store: Store, kind: Kind, target: Target, _: Request) -> Answer:
    found = store.get((kind, target.namespace, target.name))
    if found is None:
        raise missing(kind, target.name)
    return json_answer(found)


def missing(kind: Kind, name: str) -> Refusal:
    return Refusal(404, f'{kind.qualified} "{name}" not found', details=about(kind, name))


def page(store: Store, kind: Kind, target: Target, request: Request) -> Answer:
    """Answer a list, of which `limit` makes a page."""
    start = _read_continue(request.params.get("continue", ""))
    revision = start.revision if start else store.revision
    revision_of(store, request)  # only to refuse what is none: a list is always of now
    try:
        found = store.collection(kind, target.namespace, revision)
    except TooOld as error:
        raise Refusal(410, "The provided continue parameter is too old") from error
    wants = selection(kind, request)
    found = [obj for obj in found if wants(obj)]
    if start:
        found = [obj for obj in found if _key(obj) > start.after]
    limit = int(request.params.get("limit") or 0) or len(found)
    meta: dict[str, object] = {"resourceVersion": str(revision)}
    if found[limit:]:
        meta["continue"] = _write_continue(_Continue(revision, _key(found[limit - 1])))
        meta["remainingItemCount"] = len(found) - limit
    # the items of a list of built-in kinds do not repeat what they are; those of custom ones do
    items = found[:limit] if kind.custom else [_bare(obj) for obj in found[:limit]]
    named = {"kind": f"{kind.name}List", "apiVersion": kind.api_version}
    return json_answer({**named, "metadata": meta, "items": items})


def selection(kind: Kind, request: Request) -> Wanted:
    labels, fields = (request.params.get(f"{which}Selector", "") for which in ("label", "field"))
    return wanted(kind, labels, fields)


def revision_of(store: Store, request: Request) -> int:
    """Return the resourceVersion that a request names, 0 for none."""
    text = request.params.get("resourceVersion") or "0"
    if not text.isdecimal():
        raise Refusal(400, f"Invalid value: {text!r}: strconv.ParseUint: invalid syntax")
    if int(text) > store.revision:
        raise Refusal(504, f"Too large resource version: {text}, current: {store.revision}")
    return int(text)


def _bare(obj: Json) -> Json:
    return {field: value for field, value in obj.items() if field not in {"kind", "apiVersion"}}


def _key(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _read_continue(text: str) -> _Continue | None:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=_Continue) if text else None
    except (binascii.Error, msgspec.MsgspecError) as error:
        raise Refusal(400, f"continue key is not valid: {error}") from error


def _write_continue(start: _Continue) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(start)).decode()
