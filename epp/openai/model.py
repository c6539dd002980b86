"""The name of the model, which leaves the body and becomes a header."""

from __future__ import annotations

import re

from epp.openai.body import Scalar
from epp.openai.invalid import Invalid, mistyped

MODEL_MAX_BYTES = 256  # no real name comes near; it is a header, a label and a routing key

# A line break in a header value makes Envoy answer 500; the other controls have no business there.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def model_name(value: Scalar) -> str | Invalid:
    """Return the `model` of a body as text: "" if there is none, "123" for the number 123."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return mistyped("model", "a string")
    name = str(value)
    return invalid_model(name) or name


def invalid_model(model: str) -> Invalid | None:
    """Say what keeps `model` from being a header value, wherever it came from."""
    try:
        size = len(model.encode())
    except UnicodeEncodeError:
        return _refused("is not valid Unicode")
    if size > MODEL_MAX_BYTES:
        return _refused(f"is longer than {MODEL_MAX_BYTES} bytes")
    if _CONTROL.search(model):
        return _refused("contains a control character")
    return None


def _refused(why: str) -> Invalid:
    return Invalid(f"Invalid 'model': the name {why}.", param="model", code="invalid_value")
