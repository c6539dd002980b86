"""Writing: create, replace, patch and delete objects, with the status kept apart."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from tests.fakekube.answer import Answer, Refusal, about, json_answer
from tests.fakekube.connection import Request
from tests.fakekube.kinds import POD, Fields, Json, Kind
from tests.fakekube.reads import missing
from tests.fakekube.store import Key, Store, now
from tests.fakekube.target import Target

_PATCHES = {"application/merge-patch+json", "application/strategic-merge-patch+json"}


def create(store: Store, kind: Kind, target: Target, request: Request) -> Answer:
    obj = _read(kind, target, request)
    meta = obj["metadata"]
    if "name" not in meta and "generateName" in meta:
        meta["name"] = f"{meta['generateName']}{store.revision:x}"
    if "name" not in meta:
        raise Refusal(422, f"{kind.name} is invalid: metadata.name: Required value: name")
    if "resourceVersion" in meta:
        raise Refusal(400, "resourceVersion should not be set on objects to be created")
    name = meta["name"]
    if store.get(_key(kind, target, name)):
        message = f'{kind.qualified} "{name}" already exists'
        raise Refusal(409, message, "AlreadyExists", about(kind, name))
    if kind.has_status:
        obj.pop("status", None)
    if kind == POD:
        obj["status"] = {"phase": "Pending"}
    return json_answer(store.put(kind, obj), 201)


def update(store: Store, kind: Kind, target: Target, request: Request) -> Answer:
    obj = _read(kind, target, request)
    if obj["metadata"].setdefault("name", target.name) != target.name:
        raise Refusal(400, "the name of the object does not match the name on the URL")
    if not obj["metadata"].get("resourceVersion") and not kind.unconditional:
        message = "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
        raise Refusal(422, f'{kind.qualified} "{target.name}" is invalid: {message}')
    return _replace(store, kind, target, obj)


def patch(store: Store, kind: Kind, target: Target, request: Request) -> Answer:
    media = request.headers.get("content-type", "").partition(";")[0]
    # custom kinds have no strategy; lists of objects need one that this server does not have
    if media not in _PATCHES or ("strategic" in media and kind.custom):
        raise Refusal(415, f"the body of the request was in an unknown format - {media}")
    change = decoded(request)
    if kind.has_status and not target.subresource:
        change.pop("status", None)
    if "strategic" in media and _needs_a_strategy(change):
        raise Refusal(415, "strategic merging of lists of objects is not served here")
    current = _current(store, kind, target)
    meta = merged(current["metadata"], change.get("metadata", {}))
    meta["resourceVersion"] = change.get("metadata", {}).get("resourceVersion")
    return _replace(store, kind, target, {**merged(current, change), "metadata": meta})


def delete(store: Store, kind: Kind, target: Target, request: Request) -> Answer:
    options = decoded(request) if request.body else {}
    obj = _current(store, kind, target)
    key = _key(kind, target, target.name)
    text = request.params.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
    grace_s = 30 if text is None else int(text)
    if kind == POD and obj.get("spec", {}).get("nodeName") and grace_s:
        return json_answer(_terminate(store, key, obj, grace_s))
    removed = store.remove(key)
    if kind == POD:
        return json_answer(removed)
    details = {**about(kind, target.name), "uid": removed["metadata"]["uid"]}
    return json_answer(
        {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details}
    )


def decoded(request: Request) -> Fields:
    """Read a body of JSON, the only form that is served."""
    media = request.headers.get("content-type", "application/json")
    if "json" not in media:
        raise Refusal(415, f"the body of the request was in an unknown format - {media}")
    try:
        return msgspec.json.decode(request.body, type=Fields)
    except msgspec.MsgspecError as error:
        raise Refusal(400, f"the object provided is unrecognized: {error}") from error


def merged(old: Any, new: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(new, dict):
        return new
    kept: Fields = dict(old) if isinstance(old, dict) else {}
    for field, value in new.items():
        if value is None:
            kept.pop(field, None)
        else:
            kept[field] = merged(kept.get(field), value)
    return kept


def _replace(store: Store, kind: Kind, target: Target, obj: Fields) -> Answer:
    """Put an object in place of the one that its resourceVersion means, if it names one."""
    current = _current(store, kind, target)
    known = obj["metadata"].get("resourceVersion")
    if known and known != current["metadata"]["resourceVersion"]:
        message = (
            f'Operation cannot be fulfilled on {kind.qualified} "{target.name}": the object has '
            "been modified; please apply your changes to the latest version and try again"
        )
        raise Refusal(409, message, details=about(kind, target.name))
    if kind.has_status:
        rest, status = (current, obj) if target.subresource else (obj, current)
        obj = {**rest, "status": status.get("status")}
        if obj["status"] is None:
            del obj["status"]
    return json_answer(store.put(kind, obj))


def _terminate(store: Store, key: Key, obj: Json, grace_s: int) -> Json:
    """Mark a pod as its node's to end; the node takes all the time that it is given."""
    ending = {"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace_s}
    if "deletionTimestamp" in obj["metadata"]:
        return obj
    marked = store.put(key[0], {**obj, "metadata": {**obj["metadata"], **ending}})
    uid = marked["metadata"]["uid"]

    def end() -> None:
        left = store.get(key)
        if left and left["metadata"]["uid"] == uid:
            store.remove(key)

    asyncio.get_running_loop().call_later(grace_s, end)
    return marked


def _current(store: Store, kind: Kind, target: Target) -> Json:
    found = store.get(_key(kind, target, target.name))
    if found is None:
        raise missing(kind, target.name)
    return found


def _key(kind: Kind, target: Target, name: str) -> Key:
    return kind, target.namespace, name


def _read(kind: Kind, target: Target, request: Request) -> Fields:
    obj = decoded(request)
    if (obj.get("apiVersion"), obj.get("kind")) != (kind.api_version, kind.name):
        raise Refusal(400, f"the object is not a {kind.api_version} {kind.name}")
    namespace = obj.setdefault("metadata", {}).setdefault("namespace", target.namespace)
    if namespace != target.namespace:
        raise Refusal(400, "the namespace of the object does not match the namespace on the URL")
    return obj


def _needs_a_strategy(value: object) -> bool:
    if isinstance(value, dict):
        return any(field.startswith("$") or _needs_a_strategy(v) for field, v in value.items())
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
