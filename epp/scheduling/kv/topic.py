"""The topic under which a model server publishes its events."""

from __future__ import annotations

import msgspec

_BEGIN = "kv@"


class Topic(msgspec.Struct, frozen=True):
    """`kv@<pod>@<model>`, of which the pod is an address with or without port, or a name."""

    pod: str
    model: str = ""


def parse_topic(text: str) -> Topic | None:
    """Return what `text` says; None if it names no pod."""
    pod, _, model = text.removeprefix(_BEGIN).partition("@")
    return Topic(pod, model) if pod and text.startswith(_BEGIN) else None
