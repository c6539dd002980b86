"""What the picker changes in a request's body."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode
from epp.openai.multipart import FORM, form_with

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MODEL = "model"
_OPTIONS = "stream_options"
_NO_OPTIONS = {b"", b"null"}


class Change(msgspec.Struct, frozen=True):
    """What is to be another in a body."""

    model: str = ""  # to serve the request; empty: the client's
    ask_usage: bool = False  # have a stream tell its usage


def changed(body: bytes, content_type: str, change: Change) -> bytes | None:
    """Return `body` with `change` made; None if it is neither a JSON object nor a form.

    Only the top level is written anew: what stands inside stays byte for byte.
    """
    if content_type.lower().lstrip().startswith(FORM):
        return form_with(content_type, body, _MODEL, change.model) if change.model else None
    fields = decode(_FIELDS, body)
    if isinstance(fields, Invalid):
        return None
    if change.model:
        fields[_MODEL] = _raw(change.model)
    if change.ask_usage and (options := _asking(fields.get(_OPTIONS))) is not None:
        fields[_OPTIONS] = options
    return msgspec.json.encode(fields)


def _asking(options: msgspec.Raw | None) -> msgspec.Raw | None:
    """Return stream options that ask for usage; None for what is an error, and the server's."""
    if options is None or bytes(options) in _NO_OPTIONS:
        return _raw({"include_usage": True})
    given = decode(_FIELDS, options)
    if isinstance(given, Invalid):
        return None
    return _raw({**given, "include_usage": True})


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
