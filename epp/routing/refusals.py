"""The requests that the picker answers itself."""

from __future__ import annotations

from epp.exchange.events import Refused
from epp.openai.request import Invalid
from epp.scheduling.decision import Exhausted, Refusal

MALFORMED = "rejected-malformed"
NO_ENDPOINTS = "rejected-no-endpoints"
SATURATED = "rejected-saturated"

MODEL_MISSING = Invalid("you must provide a model parameter", "model", "missing_required_parameter")
ENCODED = Invalid(
    "The request body is compressed and no header names its model; send it uncompressed.",
    code="unsupported_content_encoding",
    status=415,
)
NOBODY_READY = Refused(503, "No endpoint of the pool is ready.", NO_ENDPOINTS)
NOBODY_ELIGIBLE = Refused(503, "No ready endpoint is in the proxy's subset.", NO_ENDPOINTS)


def malformed(invalid: Invalid) -> Refused:
    """Refuse a request that cannot be understood."""
    return Refused(
        invalid.status, invalid.message, MALFORMED, code=invalid.code, param=invalid.param
    )


def exhausted(refusal: Refusal) -> Refused:
    """Refuse a request that no endpoint can take."""
    if refusal.why is Exhausted.SATURATED:
        return Refused(
            429, "Every endpoint is saturated.", SATURATED, "rate_limit_exceeded", retry_after_s=1
        )
    if refusal.verdicts:
        last = refusal.verdicts[-1].plugin
        return Refused(503, f"No endpoint fits this request ({last}).", NO_ENDPOINTS)
    return NOBODY_READY
