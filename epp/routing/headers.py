"""The headers that the picker reads, sets and takes out."""

from __future__ import annotations

from collections.abc import Mapping

from epp.routing import deadline

MODEL = "x-ai-eg-model"
REQUEST_ID = "x-request-id"
ANTHROPIC = "anthropic-version"  # every request of an Anthropic client has it
CONTENT_TYPE = "content-type"
CONTENT_ENCODING = "content-encoding"

# The newer name first: it wins where a client sends both.
OBJECTIVE = ("x-llm-d-inference-objective", "x-gateway-inference-objective")
FAIRNESS_ID = ("x-llm-d-inference-fairness-id", "x-gateway-inference-fairness-id")

# The newer name first here too.
REWRITE = ("x-llm-d-model-name-rewrite", "x-gateway-model-name-rewrite")
SESSION = ("x-session-id", "x-session-token")

# Meant for the picker, not for the model server.
CONTROL = (
    *OBJECTIVE,
    *FAIRNESS_ID,
    *REWRITE,
    deadline.OWN,
    "x-llm-d-slo-ttft-ms",
    "x-llm-d-slo-tpot-ms",
    "x-slo-ttft-ms",
    "x-slo-tpot-ms",
)
_CONTROL = frozenset(CONTROL)


def first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the value of the first of `names` that is there, else an empty string."""
    for name in names:  # a generator would cost three times as much
        if name in headers:
            return headers[name]
    return ""


def control(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the control headers that this request carries."""
    return tuple(_CONTROL.intersection(headers))
