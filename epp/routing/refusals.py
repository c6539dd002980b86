"""The requests that the picker answers itself."""

from __future__ import annotations

from epp.exchange.events import Refused
from epp.openai.request import Invalid
from epp.routing.admission.shed import Shed
from epp.scheduling.decision import Exhausted, Refusal

MALFORMED = "rejected-malformed"
NO_ENDPOINTS = "rejected-no-endpoints"
EXPIRED = "rejected-ttl-expired"
TOO_LARGE = "rejected-too-large"
UNKNOWN_MODEL = "rejected-unknown-model"
SATURATED = "rejected-saturated"

FULL = "rejected-capacity"

_SHED = {
    Shed.FULL: ("Too many requests are waiting for an endpoint; try again later.", FULL),
    Shed.LATE: ("Every endpoint is too busy to answer in time; try again later.", SATURATED),
    Shed.EXPIRED: ("No endpoint could take the request in time; try again later.", EXPIRED),
}

NOBODY_WAITS = Refused(
    504, "The client's deadline passed before an endpoint was chosen.", EXPIRED, "deadline_exceeded"
)
NOBODY_READY = Refused(503, "No endpoint of the pool is ready.", NO_ENDPOINTS)
NOBODY_ELIGIBLE = Refused(503, "No ready endpoint is in the proxy's subset.", NO_ENDPOINTS)


def unknown_model(model: str) -> Refused:
    """Refuse a model that nobody has heard of."""
    return Refused(
        404,
        f"The model '{model}' does not exist; GET /v1/models lists those that do.",
        UNKNOWN_MODEL,
        code="model_not_found",
        param="model",
    )


def unlabelled(model: str) -> Refused:
    """Refuse a model whose endpoints are all away."""
    return Refused(503, f"No endpoint that may serve the model '{model}' is ready.", NO_ENDPOINTS)


def malformed(invalid: Invalid) -> Refused:
    """Refuse a request that cannot be understood."""
    reason = TOO_LARGE if invalid.status == 413 else MALFORMED
    return Refused(invalid.status, invalid.message, reason, code=invalid.code, param=invalid.param)


def shed(why: Shed, retry_after_s: int) -> Refused:
    """Refuse a request for which there is no room, or no time left."""
    if why is Shed.DEADLINE:
        return NOBODY_WAITS
    message, reason = _SHED[why]
    return Refused(429, message, reason, "rate_limit_exceeded", retry_after_s=retry_after_s)


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
