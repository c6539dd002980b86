"""Another model in a request's body."""

from __future__ import annotations

import msgspec

from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def with_model(body: bytes, model: str) -> bytes | None:
    """Return `body` with `model` as its model; None if it is no JSON object.

    Only the top level is written anew: what stands inside stays byte for byte.
    """
    fields = decode(_FIELDS, body)
    if isinstance(fields, Invalid):
        return None
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)
