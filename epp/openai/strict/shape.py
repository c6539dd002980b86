"""What strict validation demands of a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import msgspec

from epp.openai.body import ABSENT, Body, Scalar
from epp.openai.invalid import Invalid
from epp.openai.json_policy import decode
from epp.openai.multipart import FORM
from epp.openai.strict.refusal import refusal

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
# Of content type and body: what is wrong, or what was read on the way; None: read it.
Check: TypeAlias = Callable[[str, bytes], Invalid | Body | None]

_NOTHING = {b"", b"null"}


class Object(msgspec.Struct):
    """A JSON object. What is in it is skipped: nobody may make the picker build a large tree."""


class Shape(msgspec.Struct, kw_only=True):
    """A body as its API has it. Fields that are not declared are the server's affair."""

    cache_salt: Scalar = None

    def problem(self) -> Invalid | None:
        """Return what is wrong between fields that are right by themselves."""
        return None

    def body(self) -> Body | None:
        """Return the body as it is read leniently; None if that takes more than is here.

        To decode a long text costs most of all, and most bodies are little else.
        """
        return None


def checker(shape: type[Shape]) -> Check:
    """Return what refuses every JSON body that is not of `shape`."""
    decoder = msgspec.json.Decoder(shape)

    def check(content_type: str, body: bytes) -> Invalid | Body | None:
        if content_type.lower().lstrip().startswith(FORM):
            return Invalid(
                "This API takes JSON; only /v1/audio/transcriptions and /v1/audio/translations "
                "take multipart/form-data.",
                code="invalid_form",
            )
        found = decode(decoder, body, lambda error: refusal(error, shape))
        return found if isinstance(found, Invalid) else found.problem() or found.body()

    return check


def is_given(value: msgspec.Raw) -> bool:
    """Tell whether a field is there and not null."""
    return value is not ABSENT and bytes(memoryview(value)[:4]) not in _NOTHING
