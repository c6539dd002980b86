"""What every Kubernetes object has, as far as the picker reads it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class ObjectMeta(msgspec.Struct, frozen=True, rename="camel"):
    """`metadata`. Fields that the picker does not read are skipped when decoding."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    creation_timestamp: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class KubeObject(msgspec.Struct, frozen=True, rename="camel"):
    """Base of the typed objects: a kind adds the parts of `spec` and `status` that it reads."""

    metadata: ObjectMeta = ObjectMeta()
